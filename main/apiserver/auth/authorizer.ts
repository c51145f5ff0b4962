// What authorization is asked and how refusals read. Authorizers are asked in order; the first that allows wins.
import { StatusError } from '../../../common/machinery/status.ts'
import type { RequestInfo } from '../chain/request-info.ts'
import type { UserInfo } from './user-info.ts'

export interface ResourceAttributes {
  readonly user: UserInfo
  readonly verb: string
  readonly group: string
  readonly version?: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
}

export interface PathAttributes {
  readonly user: UserInfo
  readonly verb: string
  readonly path: string
}

export type Attributes = ResourceAttributes | PathAttributes

export interface Decision {
  readonly allowed: boolean
  readonly reason: string
}

export interface Authorizer {
  /** No opinion is `allowed: false` with an empty reason. */
  authorize(attributes: Attributes): Decision
}

export const noOpinion: Decision = { allowed: false, reason: '' }

export class AuthorizerChain implements Authorizer {
  readonly #authorizers: readonly Authorizer[]

  constructor(authorizers: readonly Authorizer[]) {
    this.#authorizers = authorizers
  }

  authorize(attributes: Attributes): Decision {
    let reason = ''
    for (const authorizer of this.#authorizers) {
      const decision = authorizer.authorize(attributes)
      if (decision.allowed) return decision
      if (decision.reason !== '') reason = reason === '' ? decision.reason : `${reason}, ${decision.reason}`
    }
    return { allowed: false, reason }
  }
}

/** Members of system:masters may do everything, whatever the rules say. */
export const mastersAuthorizer: Authorizer = {
  authorize: ({ user }) => (user.groups.includes('system:masters') ? { allowed: true, reason: '' } : noOpinion),
}

export const alwaysAllow: Authorizer = { authorize: () => ({ allowed: true, reason: '' }) }
export const alwaysDeny: Authorizer = { authorize: () => ({ allowed: false, reason: 'Everything is forbidden.' }) }

export function attributesOf(user: UserInfo, info: RequestInfo): Attributes {
  if (!info.isResource) return { user, verb: info.verb, path: info.path }
  const { verb, group, version, resource, subresource, namespace, name } = info
  return { user, verb, group, version, resource, subresource, namespace, name }
}

export function forbiddenError(attributes: Attributes, reason: string): StatusError {
  const { user, verb } = attributes
  const suffix = reason === '' ? '' : `: ${reason}`
  if ('path' in attributes) {
    return new StatusError({
      code: 403,
      reason: 'Forbidden',
      message: `forbidden: User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(attributes.path)}${suffix}`,
      details: {},
    })
  }
  const { group, resource, subresource, namespace, name } = attributes
  const full = subresource === '' ? resource : `${resource}/${subresource}`
  const scope = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`
  const qualified = group === '' ? resource : `${resource}.${group}`
  const subject = name === '' ? qualified : `${qualified} ${JSON.stringify(name)}`
  return new StatusError({
    code: 403,
    reason: 'Forbidden',
    message: `${subject} is forbidden: User ${JSON.stringify(user.name)} cannot ${verb} resource ${JSON.stringify(full)} in API group ${JSON.stringify(group)} ${scope}${suffix}`,
    details: { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind: resource },
  })
}
