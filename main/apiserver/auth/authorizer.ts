// What authorization is asked and how refusals read. Authorizers are asked in order; the first that allows wins.
import { forbidden, internalError, StatusError } from '../../../common/machinery/status.ts'
import type { RequestInfo, ResourceRequestInfo } from '../chain/request-info.ts'
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
  /** Of lists, watches and deletions of collections, as they were written. */
  readonly fieldSelector?: string
  readonly labelSelector?: string
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
  /** Not only without an opinion: nobody after this one is asked. */
  readonly denied?: true
  /** Why there is no opinion when there should be one. */
  readonly error?: string
}

export interface Authorizer {
  /** No opinion is `allowed: false`, maybe with a reason. */
  authorize(attributes: Attributes): Decision
  /** The same for those who can wait: asks where the answer has to be fetched. Absent: as above. */
  decide?(attributes: Attributes): Decision | Promise<Decision>
}

export const noOpinion: Decision = { allowed: false, reason: '' }

export class AuthorizerChain implements Authorizer {
  #authorizers: readonly Authorizer[]

  constructor(authorizers: readonly Authorizer[]) {
    this.#authorizers = authorizers
  }

  /** From now on these are asked. */
  replace(authorizers: readonly Authorizer[]): void {
    this.#authorizers = authorizers
  }

  authorize(attributes: Attributes): Decision {
    const opinions: Decision[] = []
    for (const authorizer of this.#authorizers) {
      const decision = authorizer.authorize(attributes)
      if (decision.allowed || decision.denied === true) return decision
      if (decision !== noOpinion) opinions.push(decision)
    }
    return together(opinions)
  }

  decide(attributes: Attributes): Decision | Promise<Decision> {
    return this.#decideFrom(0, attributes, [])
  }

  #decideFrom(first: number, attributes: Attributes, opinions: Decision[]): Decision | Promise<Decision> {
    const authorizers = this.#authorizers
    for (let index = first; index < authorizers.length; index += 1) {
      const authorizer = authorizers[index] as Authorizer
      const decision =
        authorizer.decide === undefined ? authorizer.authorize(attributes) : authorizer.decide(attributes)
      if (decision instanceof Promise) {
        return decision.then((late) => {
          if (late.allowed || late.denied === true) return late
          return this.#decideFrom(index + 1, attributes, [...opinions, late])
        })
      }
      if (decision.allowed || decision.denied === true) return decision
      if (decision !== noOpinion) opinions.push(decision)
    }
    return together(opinions)
  }
}

function together(opinions: readonly Decision[]): Decision {
  if (opinions.length === 0) return noOpinion
  const reason = opinions.flatMap(({ reason: each }) => (each === '' ? [] : [each])).join('\n')
  const errors = opinions.flatMap(({ error }) => (error === undefined ? [] : [error]))
  return { allowed: false, reason, ...(errors.length === 0 ? {} : { error: aggregate(errors) }) }
}

const aggregate = (errors: readonly string[]): string =>
  errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`

/** Members of system:masters may do everything, whatever the rules say. */
export const mastersAuthorizer: Authorizer = {
  authorize: ({ user }) => (user.groups.includes('system:masters') ? { allowed: true, reason: '' } : noOpinion),
}

export const alwaysAllow: Authorizer = { authorize: () => ({ allowed: true, reason: '' }) }
export const alwaysDeny: Authorizer = { authorize: () => ({ allowed: false, reason: 'Everything is forbidden.' }) }

/** For writes that turn out to create: who may update or patch may not create for that. Throws 403. */
export async function requireCreation(
  authorizer: Authorizer,
  user: UserInfo,
  info: ResourceRequestInfo,
): Promise<void> {
  const attributes = { ...attributesOf(user, info), verb: 'create' }
  const { allowed, reason, error } = await (authorizer.decide?.(attributes) ?? authorizer.authorize(attributes))
  if (allowed) return
  if (error !== undefined) throw internalError(error)
  throw forbidden({ group: info.group, resource: info.resource }, info.name, reason)
}

export function attributesOf(user: UserInfo, info: RequestInfo, query?: URLSearchParams): Attributes {
  if (!info.isResource) return { user, verb: info.verb, path: info.path }
  const { verb, group, version, resource, subresource, namespace, name } = info
  const attributes = { user, verb, group, version, resource, subresource, namespace, name }
  if (query === undefined || (verb !== 'list' && verb !== 'watch' && verb !== 'deletecollection')) return attributes
  const fieldSelector = query.get('fieldSelector') ?? ''
  const labelSelector = query.get('labelSelector') ?? ''
  return {
    ...attributes,
    ...(fieldSelector === '' ? {} : { fieldSelector }),
    ...(labelSelector === '' ? {} : { labelSelector }),
  }
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
