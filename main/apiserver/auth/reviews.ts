// Questions about identity and permission: answered at once, never stored (kubectl auth can-i, kubectl auth whoami, webhooks).
import type {
  LocalSubjectAccessReview,
  PolicyRule,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
  TokenReview,
} from '../../../common/api/generated/types.ts'
import { badRequest, StatusError } from '../../../common/machinery/status.ts'
import { defineKind, type KindDefinition } from '../../kinds/kind.ts'
import type { UserInfo } from '../apiserver.ts'
import { decodeObject } from '../registry/decode.ts'
import { type ApiCall, type CallResult, fieldValidationOf, requireBody, writeRequestOf } from '../routes/api-call.ts'
import type { VirtualKind } from '../subresources/subresource.ts'
import { virtualWrite } from '../subresources/virtual-write.ts'
import type { Authenticator } from './authenticator.ts'
import { nodeNameOf } from '../admission/node-restriction/index.ts'
import type { AuthorizationMode } from './authorization/modes.ts'
import { writtenSelectors } from './authorization/selector-attributes.ts'
import type { Attributes, AuthorizerChain } from './authorizer.ts'
import type { RbacAuthorizer } from './rbac.ts'

export const reviewKinds: readonly KindDefinition[] = [
  defineKind('authentication.k8s.io/v1/selfsubjectreviews', {}),
  defineKind('authentication.k8s.io/v1/tokenreviews', {}),
  defineKind('authorization.k8s.io/v1/selfsubjectaccessreviews', {}),
  defineKind('authorization.k8s.io/v1/subjectaccessreviews', {}),
  defineKind('authorization.k8s.io/v1/localsubjectaccessreviews', {}),
  defineKind('authorization.k8s.io/v1/selfsubjectrulesreviews', {}),
]

export interface ReviewOptions {
  readonly authorizer: AuthorizerChain
  readonly authenticator: Authenticator
  readonly rbac: RbacAuthorizer
  /** Those in force. */
  readonly modes: () => readonly AuthorizationMode[]
  /** Of this API, when a review asks for none. */
  readonly audiences: readonly string[]
}

export function reviews({
  authorizer,
  authenticator,
  rbac,
  modes,
  audiences,
}: ReviewOptions): (readonly [string, VirtualKind])[] {
  const access = async (user: UserInfo, spec: Omit<SubjectAccessReviewSpec, 'user'>): Promise<object> => {
    const attributes = attributesOfReview(user, spec)
    const { allowed, denied, reason, error } = await authorizer.decide(attributes)
    return {
      allowed,
      ...(denied === true ? { denied } : {}),
      ...(reason === '' ? {} : { reason }),
      ...(error === undefined ? {} : { evaluationError: error }),
    }
  }
  return [
    [
      'authentication.k8s.io/selfsubjectreviews',
      answer((_body, call) => ({ status: { userInfo: userInfoOf(call.user) } })),
    ],
    [
      'authentication.k8s.io/tokenreviews',
      answer<TokenReview>(async (body) => ({
        spec: body.spec,
        status: await reviewToken(authenticator, body, audiences),
      })),
    ],
    [
      'authorization.k8s.io/selfsubjectaccessreviews',
      answer<SelfSubjectAccessReview>(async (body, call) => ({
        spec: body.spec,
        status: await access(call.user, body.spec),
      })),
    ],
    [
      'authorization.k8s.io/subjectaccessreviews',
      answer<SubjectAccessReview>(async (body) => ({
        spec: body.spec,
        status: await access(userOf(body.spec), body.spec),
      })),
    ],
    [
      'authorization.k8s.io/localsubjectaccessreviews',
      answer<LocalSubjectAccessReview>(async (body, call) => {
        if (body.spec.resourceAttributes?.namespace !== call.info.namespace)
          throw badRequest(`spec.resourceAttributes.namespace must match namespace`)
        return { spec: body.spec, status: await access(userOf(body.spec), body.spec) }
      }),
    ],
    [
      'authorization.k8s.io/selfsubjectrulesreviews',
      answer<SelfSubjectRulesReview>((body, call) => {
        const namespace = body.spec.namespace ?? ''
        if (namespace === '') throw badRequest('no namespace on request')
        return { spec: body.spec, status: rulesOf(rbac, modes(), call.user, namespace) }
      }),
    ],
  ]
}

function answer<T>(respond: (body: T, call: ApiCall) => object | Promise<object>): VirtualKind {
  return {
    withoutTable: true,
    async perform(call): Promise<CallResult> {
      const { value, duplicates } = await requireBody(call)
      const body = decodeObject(call.resource, value, {
        fieldValidation: fieldValidationOf(call),
        warn: call.warn,
        duplicates,
      })
      const write = virtualWrite(call, body, writeRequestOf(call))
      await write.mutate()
      await write.validate()
      const result = await respond(body as unknown as T, call)
      return {
        type: 'plain',
        code: 201,
        object: {
          kind: call.resource.kind.kind,
          apiVersion: call.resource.apiVersion,
          metadata: { ...body.metadata },
          ...result,
        },
      }
    },
  }
}

const userInfoOf = ({ name, uid, groups, extra }: UserInfo): object => ({
  username: name,
  ...(uid === undefined ? {} : { uid }),
  groups,
  ...(extra === undefined ? {} : { extra }),
})

async function reviewToken(
  authenticator: Authenticator,
  { spec }: TokenReview,
  own: readonly string[],
): Promise<object> {
  const wanted = (spec.audiences ?? []).length === 0 ? own : (spec.audiences ?? [])
  const token = spec.token ?? ''
  if (token === '') return { user: {} }
  try {
    const { user, audiences = [] } = await authenticator.reviewToken(token, wanted)
    if (audiences.length === 0) return { user: {}, error: 'invalid bearer token, token audiences do not match' }
    return { authenticated: true, user: userInfoOf(user), ...(spec.audiences === undefined ? {} : { audiences }) }
  } catch (error) {
    if (error instanceof StatusError && error.code === 401)
      return { user: {}, error: '[invalid bearer token, Unauthorized]' }
    throw error
  }
}

function userOf(spec: SubjectAccessReviewSpec): UserInfo {
  const { user = '', groups = [], uid, extra } = spec
  if (user === '' && groups.length === 0) throw badRequest('at least one of user or group must be specified')
  return { name: user, groups, ...(uid === undefined ? {} : { uid }), ...(extra === undefined ? {} : { extra }) }
}

function attributesOfReview(user: UserInfo, spec: Omit<SubjectAccessReviewSpec, 'user'>): Attributes {
  const { resourceAttributes: resource, nonResourceAttributes: url } = spec
  if ((resource === undefined) === (url === undefined)) {
    throw badRequest('exactly one of nonResourceAttributes or resourceAttributes must be specified')
  }
  if (url !== undefined) return { user, verb: url.verb ?? '', path: url.path ?? '' }
  return {
    user,
    verb: resource?.verb ?? '',
    group: resource?.group ?? '',
    version: resource?.version ?? '',
    resource: resource?.resource ?? '',
    subresource: resource?.subresource ?? '',
    namespace: resource?.namespace ?? '',
    name: resource?.name ?? '',
    ...writtenSelectors(resource ?? {}),
  }
}

function rulesOf(rbac: RbacAuthorizer, modes: readonly AuthorizationMode[], user: UserInfo, namespace: string): object {
  const rules: PolicyRule[] = modes.includes('RBAC') ? rbac.rulesFor(user, namespace) : []
  if (modes.includes('AlwaysAllow'))
    rules.push({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, { verbs: ['*'], nonResourceURLs: ['*'] })
  const unknown = modes.flatMap((mode) => {
    if (mode === 'Node') return nodeNameOf(user) === undefined ? [] : ['node authorizer']
    return typeof mode === 'object' ? [mode.type === 'ABAC' ? 'ABAC authorizer' : 'webhook authorizer'] : []
  })
  return {
    resourceRules: rules
      .filter((rule) => rule.resources !== undefined)
      .map(({ verbs, apiGroups, resources, resourceNames }) => ({ verbs, apiGroups, resources, resourceNames })),
    nonResourceRules: rules
      .filter((rule) => rule.nonResourceURLs !== undefined)
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete: unknown.length > 0,
    ...(unknown.length === 0
      ? {}
      : { evaluationError: unknown.map((each) => `${each} does not support user rule resolution`).join(', ') }),
  }
}
