// serviceaccounts/token: a fresh token for an account, bound to a pod, secret or node when asked.
import type { AuthenticationV1TokenRequest, TokenRequestSpec } from '../../../common/api/generated/types.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import { invalidValue } from '../../../common/machinery/field-error.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { badRequest, conflict, forbidden, invalid, notFound } from '../../../common/machinery/status.ts'
import { nodeNameOf } from '../admission/node-restriction.ts'
import type { BoundObject, ServiceAccountTokens } from '../auth/service-account-tokens.ts'
import { lookup, readStored } from '../registry/context.ts'
import { decodeType } from '../registry/decode.ts'
import { type ApiCall, type CallResult, requireBody, writeRequestOf } from '../routes/api-call.ts'
import type { Subresource } from './subresource.ts'

const requestType = {
  definition: 'io.k8s.api.authentication.v1.TokenRequest',
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenRequest',
}
const defaultSeconds = 3600
const minSeconds = 600
const maxSeconds = 2 ** 32
const kinds = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' } as const

export function tokenRequest(tokens: ServiceAccountTokens): Subresource {
  return {
    info: { name: 'token', group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest', verbs: ['create'] },
    perform: (call) => issue(call, tokens),
  }
}

async function issue(call: ApiCall, tokens: ServiceAccountTokens): Promise<CallResult> {
  const { registry, resource, info } = call
  const { dryRun } = writeRequestOf(call)
  const { value } = await requireBody(call)
  const request = decodeType<AuthenticationV1TokenRequest>(requestType, value)
  const account = readStored(registry, resource, info.namespace, info.name)
  if (account === undefined) throw notFound(resource.name, info.name)
  const {
    expirationSeconds = defaultSeconds,
    audiences = [],
    boundObjectRef,
  }: Partial<TokenRequestSpec> = request.spec ?? {}
  if (expirationSeconds < minSeconds || expirationSeconds > maxSeconds) {
    const why =
      expirationSeconds < minSeconds
        ? 'may not specify a duration less than 10 minutes'
        : 'may not specify a duration larger than 2^32 seconds'
    throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', [
      invalidValue('spec.expirationSeconds', expirationSeconds, why),
    ])
  }
  const bound = boundObjectRef === undefined ? undefined : findBound(call, boundObjectRef)
  requireOwnPod(call, bound)
  const effective = audiences.length === 0 ? tokens.audiences : audiences
  const node = bound?.kind === 'Pod' ? nodeOf(call, bound.name) : undefined
  const issued = dryRun
    ? { token: '', expiresAtMs: registry.clock.now() + expirationSeconds * 1000 }
    : await tokens.issue({
        namespace: info.namespace,
        account: { name: info.name, uid: account.object.metadata.uid ?? '' },
        audiences: effective,
        expirationSeconds,
        ...(bound === undefined ? {} : { bound }),
        ...(node === undefined ? {} : { node }),
      })
  return {
    type: 'plain',
    code: 201,
    object: {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name: info.name, namespace: info.namespace, creationTimestamp: formatTime(registry.clock.now()) },
      spec: { audiences: effective, expirationSeconds, boundObjectRef: boundObjectRef ?? null },
      status: { token: issued.token, expirationTimestamp: formatTime(issued.expiresAtMs) },
    },
  }
}

function findBound(
  { registry, info }: ApiCall,
  reference: NonNullable<TokenRequestSpec['boundObjectRef']>,
): BoundObject {
  const { kind = '', name = '', uid = '' } = reference
  if (kind !== 'Pod' && kind !== 'Secret' && kind !== 'Node')
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(info.name)} to object of kind ${JSON.stringify(kind)}`,
    )
  const plural = kinds[kind]
  const object = lookup(registry, '', plural, kind === 'Node' ? undefined : info.namespace, name)?.object
  if (object === undefined) throw notFound({ group: '', resource: plural }, name)
  if (uid !== '' && uid !== object.metadata.uid) {
    throw conflict(
      { group: '', resource: plural },
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    )
  }
  if (kind === 'Pod' && podAccount(object) !== info.name) {
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(info.name)} to pod running with different serviceaccount name.`,
    )
  }
  return { kind, apiVersion: 'v1', name, uid: object.metadata.uid ?? '' }
}

const podAccount = (pod: KubeObject): string =>
  (pod as { spec?: { serviceAccountName?: string } }).spec?.serviceAccountName ?? 'default'

/** A node gets tokens only for pods that run on it. */
function requireOwnPod(call: ApiCall, bound: BoundObject | undefined): void {
  const node = nodeNameOf(call.user)
  if (node === undefined) return
  if (bound?.kind !== 'Pod')
    throw forbidden(
      { group: '', resource: 'serviceaccounts' },
      call.info.name,
      'node requested token not bound to a pod',
    )
  if (nodeOf(call, bound.name)?.name !== node)
    throw forbidden(
      { group: '', resource: 'serviceaccounts' },
      call.info.name,
      'node requested token bound to a pod scheduled on a different node',
    )
}

function nodeOf({ registry, info }: ApiCall, podName: string): { name: string; uid: string } | undefined {
  const pod = lookup(registry, '', 'pods', info.namespace, podName)?.object as
    { spec?: { nodeName?: string } } | undefined
  const name = pod?.spec?.nodeName ?? ''
  if (name === '') return undefined
  return { name, uid: lookup(registry, '', 'nodes', undefined, name)?.object.metadata.uid ?? '' }
}
