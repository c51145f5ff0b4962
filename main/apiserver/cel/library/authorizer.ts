// The `authorizer` of policies: asks whether somebody may do something, piece by piece.
import type { Attributes, Authorizer, Decision } from '../../auth/authorizer.ts'
import type { UserInfo } from '../../auth/user-info.ts'
import { CelError, Opaque } from '../values.ts'
import { declare, type Overload } from './declare.ts'

interface Asking {
  readonly authorizer: Authorizer
  readonly user: UserInfo
}
interface ResourceQuestion extends Asking {
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
}
interface PathQuestion extends Asking {
  readonly path: string
}

/** As cel-go counts it: asking takes a while. */
const checkCost = 350_000

export const newAuthorizerValue = (authorizer: Authorizer, user: UserInfo): Opaque<Asking> =>
  new Opaque('kubernetes.authorization.Authorizer', { authorizer, user }, '')

/** `authorizer.requestResource`: the resource of the request being judged. */
export const newResourceCheck = (question: ResourceQuestion): Opaque<ResourceQuestion> =>
  new Opaque('kubernetes.authorization.ResourceCheck', question, '')

const change = (check: Opaque<ResourceQuestion>, part: Partial<ResourceQuestion>): Opaque<ResourceQuestion> =>
  newResourceCheck({ ...check.value, ...part })

function decide({ authorizer }: Asking, attributes: Attributes): Opaque<Decision> {
  return new Opaque('kubernetes.authorization.Decision', authorizer.authorize(attributes), '')
}

function pathCheck({ value }: Opaque<Asking>, path: string): Opaque<PathQuestion> {
  if (path === '') throw new CelError('path must not be empty')
  return new Opaque('kubernetes.authorization.PathCheck', { ...value, path }, path)
}

function serviceAccount({ value }: Opaque<Asking>, namespace: string, name: string): Opaque<Asking> {
  return newAuthorizerValue(value.authorizer, {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  })
}

const authorizerType = 'kubernetes.authorization.Authorizer'
const resourceType = 'kubernetes.authorization.ResourceCheck'
const groupType = 'kubernetes.authorization.GroupCheck'
const pathType = 'kubernetes.authorization.PathCheck'
const decisionType = 'kubernetes.authorization.Decision'

export const authorization: readonly Overload[] = [
  declare(`${authorizerType}.path(string): ${pathType}`, pathCheck),
  declare(
    `${authorizerType}.group(string): ${groupType}`,
    ({ value }: Opaque<Asking>, group: string) => new Opaque(groupType, { ...value, group }, group),
  ),
  declare(`${authorizerType}.serviceAccount(string, string): ${authorizerType}`, serviceAccount),
  declare(
    `${groupType}.resource(string): ${resourceType}`,
    ({ value }: Opaque<Asking & { group: string }>, resource: string) =>
      newResourceCheck({ ...value, resource, subresource: '', namespace: '', name: '' }),
  ),
  declare(
    `${resourceType}.subresource(string): ${resourceType}`,
    (check: Opaque<ResourceQuestion>, subresource: string) => change(check, { subresource }),
  ),
  declare(`${resourceType}.namespace(string): ${resourceType}`, (check: Opaque<ResourceQuestion>, namespace: string) =>
    change(check, { namespace }),
  ),
  declare(`${resourceType}.name(string): ${resourceType}`, (check: Opaque<ResourceQuestion>, name: string) =>
    change(check, { name }),
  ),
  declare(
    `${resourceType}.check(string): ${decisionType}`,
    ({ value }: Opaque<ResourceQuestion>, verb: string) => {
      const { group, resource, subresource, namespace, name, user } = value
      return decide(value, { user, verb, group, resource, subresource, namespace, name })
    },
    () => checkCost,
  ),
  declare(
    `${pathType}.check(string): ${decisionType}`,
    ({ value }: Opaque<PathQuestion>, verb: string) => decide(value, { user: value.user, verb, path: value.path }),
    () => checkCost,
  ),
  declare(`${decisionType}.allowed(): bool`, ({ value }: Opaque<Decision>) => value.allowed),
  declare(`${decisionType}.reason(): string`, ({ value }: Opaque<Decision>) => value.reason),
  declare(`${decisionType}.errored(): bool`, () => false),
  declare(`${decisionType}.error(): string`, () => ''),
]
