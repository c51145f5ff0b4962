// serviceaccounts/token: a fresh token for an account, bound to a pod, secret or node when asked.
import type { AuthenticationV1TokenRequest, TokenRequestSpec } from '../../../common/api/generated/types.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import { invalidValue } from '../../../common/machinery/field-error.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { badRequest, conflict, invalid, notFound } from '../../../common/machinery/status.ts'
import type { BoundObject, ServiceAccountTokens } from '../auth/service-account-tokens.ts'
import { lookup, readStored } from '../registry/context.ts'
import { decodeType } from '../registry/decode.ts'
import { type ApiCall, type CallResult, requireBody, writeRequestOf } from '../routes/api-call.ts'
import type { Subresource } from './subresource.ts'
import { virtualWrite } from './virtual-write.ts'

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
  const write = writeRequestOf(call)
  const { value } = await requireBody(call)
  const request = decodeType<KubeObject & AuthenticationV1TokenRequest>(requestType, value)
  const admission = virtualWrite(call, request, write, requestType)
  await admission.mutate()
  requireOwnIdentity(call, request)
  const account = readStored(registry, resource, info.namespace, info.name)
  if (account === undefined) throw notFound(resource.name, info.name)
  // As admission sees it: with everything that is known by now.
  const { name, namespace } = info
  request.metadata = { ...request.metadata, name, namespace, creationTimestamp: formatTime(registry.clock.now()) }
  request.spec = { ...request.spec, expirationSeconds: request.spec?.expirationSeconds ?? defaultSeconds }
  if ((request.spec.audiences ?? []).length === 0) request.spec.audiences = [...tokens.audiences]
  const { expirationSeconds = defaultSeconds, audiences = [], boundObjectRef } = request.spec
  const lifeSeconds = Math.min(expirationSeconds, tokens.maxSeconds)
  if (expirationSeconds < minSeconds || expirationSeconds > maxSeconds) {
    const why =
      expirationSeconds < minSeconds
        ? 'may not specify a duration less than 10 minutes'
        : 'may not specify a duration larger than 2^32 seconds'
    throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', [
      invalidValue('spec.expirationSeconds', expirationSeconds, why),
    ])
  }
  if (expirationSeconds > tokens.maxSeconds)
    call.warn(
      `requested expiration of ${String(expirationSeconds)} seconds shortened to ${String(tokens.maxSeconds)} seconds`,
    )
  await admission.validate()
  const bound = boundObjectRef === undefined ? undefined : findBound(call, boundObjectRef)
  const node = bound?.kind === 'Pod' ? nodeOf(call, bound.name) : undefined
  const issued = write.dryRun
    ? { token: '', expiresAtMs: registry.clock.now() + lifeSeconds * 1000 }
    : await tokens.issue({
        namespace: info.namespace,
        account: { name: info.name, uid: account.object.metadata.uid ?? '' },
        audiences,
        expirationSeconds: lifeSeconds,
        ...(bound === undefined ? {} : { bound }),
        ...(node === undefined ? {} : { node }),
      })
  if ('id' in issued) call.audit?.('authentication.kubernetes.io/issued-credential-id', `JTI=${issued.id}`)
  return {
    type: 'plain',
    code: 201,
    object: {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: request.metadata,
      spec: { audiences, expirationSeconds: lifeSeconds, boundObjectRef: boundObjectRef ?? null },
      status: { token: issued.token, expirationTimestamp: formatTime(issued.expiresAtMs) },
    },
  }
}

/** A body that says whose token it is for says the same as the path. */
function requireOwnIdentity({ info }: ApiCall, { metadata }: KubeObject): void {
  const { name = '', namespace = '' } = metadata
  if (name !== '' && name !== info.name)
    throw badRequest(
      `metadata.name: Invalid value: ${JSON.stringify(name)}: must match the service account name if specified`,
    )
  if (namespace !== '' && namespace !== info.namespace)
    throw badRequest(
      `metadata.namespace: Invalid value: ${JSON.stringify(namespace)}: must match the service account namespace if specified`,
    )
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

function nodeOf({ registry, info }: ApiCall, podName: string): { name: string; uid: string } | undefined {
  const pod = lookup(registry, '', 'pods', info.namespace, podName)?.object as
    { spec?: { nodeName?: string } } | undefined
  const name = pod?.spec?.nodeName ?? ''
  if (name === '') return undefined
  return { name, uid: lookup(registry, '', 'nodes', undefined, name)?.object.metadata.uid ?? '' }
}
