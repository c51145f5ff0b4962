// One webhook: whether it is asked about a request, how it is asked, and what its answer means.
import { randomUUID } from 'node:crypto'
import type { MutatingWebhook, ValidatingWebhook } from '../../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import { badRequest, internalError, StatusError } from '../../../../common/machinery/status.ts'
import type { Authorizer } from '../../auth/authorizer.ts'
import type { ServedResource } from '../../registry/served-resource.ts'
import type { WebhookClient } from '../../webhooks/client.ts'
import type { AdmissionAttributes } from '../admission.ts'
import { compileConditions, type Conditions } from '../match-conditions.ts'
import { type Matcher, matchRequest, newMatcher } from '../match-rules.ts'
import { asVersion, requestFacts } from '../request-facts.ts'

export interface PreparedWebhook {
  readonly configuration: string
  readonly hook: ValidatingWebhook & MutatingWebhook
  readonly matcher: Matcher
  readonly conditions: Conditions
}

export interface WebhookDependencies {
  readonly authorizer: () => Authorizer
  readonly client: WebhookClient
}

interface Answer {
  readonly allowed: boolean
  readonly patch: unknown
}

export function prepareWebhooks(configurations: readonly KubeObject[]): PreparedWebhook[] {
  return configurations.flatMap((configuration) =>
    ((configuration as { webhooks?: PreparedWebhook['hook'][] }).webhooks ?? []).map((hook) => ({
      configuration: configuration.metadata.name ?? '',
      hook,
      matcher: newMatcher({
        ...hook,
        matchPolicy: hook.matchPolicy,
        namespaceSelector: hook.namespaceSelector,
        objectSelector: hook.objectSelector,
        rules: hook.rules,
      }),
      conditions: compileConditions(hook.matchConditions ?? []),
    })),
  )
}

/** The resource as which the webhook wants to hear of this request. */
export function wants(
  { hook, matcher, conditions }: PreparedWebhook,
  attributes: AdmissionAttributes,
  { authorizer }: WebhookDependencies,
): ServedResource | undefined {
  const matched = matchRequest(matcher, attributes)
  if (matched === undefined) return undefined
  return conditions.hold(attributes, { matched, authorizer: authorizer(), failurePolicy: hook.failurePolicy ?? 'Fail' })
    ? matched
    : undefined
}

/** Asks; undefined when the webhook failed and its policy is to ignore that. Throws StatusError when it says no. */
export async function ask(
  { hook }: PreparedWebhook,
  attributes: AdmissionAttributes,
  matched: ServedResource,
  { client }: WebhookDependencies,
): Promise<Answer | undefined> {
  const { request } = attributes
  if (request.dryRun && hook.sideEffects !== 'None' && hook.sideEffects !== 'NoneOnDryRun')
    throw badRequest(`admission webhook ${JSON.stringify(hook.name)} does not support dry run`)
  const version = hook.admissionReviewVersions.find((one) => one === 'v1' || one === 'v1beta1') ?? 'v1'
  const uid = randomUUID()
  const body = {
    kind: 'AdmissionReview',
    apiVersion: `admission.k8s.io/${version}`,
    request: {
      uid,
      ...requestFacts(attributes, matched),
      object: asVersion(attributes.object, attributes.resource, matched) ?? null,
      oldObject: asVersion(attributes.old, attributes.resource, matched) ?? null,
    },
  }
  let response: Response
  try {
    const { service, url, caBundle } = hook.clientConfig
    const config = {
      ...(url === undefined ? {} : { url }),
      ...(caBundle === undefined ? {} : { caBundle }),
      ...(service === undefined ? {} : { service }),
    }
    response = readReview(await client.post({ config, timeoutSeconds: hook.timeoutSeconds ?? 10, body }), uid)
  } catch (error) {
    if (hook.failurePolicy === 'Ignore') return undefined
    const why = error instanceof Error ? error.message : String(error)
    throw internalError(`failed calling webhook ${JSON.stringify(hook.name)}: ${why}`, { cause: error })
  }
  for (const warning of response.warnings ?? []) request.warn(warning)
  for (const [key, value] of Object.entries(response.auditAnnotations ?? {}))
    request.audit?.(`${hook.name}/${key}`, value)
  if (response.allowed !== true) throw denied(hook.name, response.status)
  return { allowed: true, patch: response.patch === undefined ? undefined : readPatch(hook.name, response) }
}

interface Response {
  readonly uid?: string
  readonly allowed?: boolean
  readonly status?: { readonly code?: number; readonly message?: string; readonly reason?: string }
  readonly patch?: string
  readonly patchType?: string
  readonly warnings?: readonly string[]
  readonly auditAnnotations?: Readonly<Record<string, string>>
}

function readReview(answer: unknown, uid: string): Response {
  const { response, kind } = (answer ?? {}) as { response?: Response; kind?: string }
  if (kind !== 'AdmissionReview')
    throw new Error(
      `failed to call webhook: expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${String(kind)}`,
    )
  if (typeof response !== 'object') throw new Error('webhook response was absent')
  if (response.uid !== undefined && response.uid !== uid)
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid)}`)
  return response
}

/** A webhook's no: its own words behind whose they are; never a code that is no error. */
function denied(name: string, status: Response['status']): StatusError {
  const { code = 0, message = '', reason = '' } = status ?? {}
  const by = `admission webhook ${JSON.stringify(name)} denied the request`
  const why = message !== '' ? message : reason
  return new StatusError({
    ...status,
    code: code < 400 ? 400 : code,
    message: why === '' ? `${by} without explanation` : `${by}: ${why}`,
    ...(reason === '' ? {} : { reason }),
  })
}

function readPatch(name: string, { patch = '', patchType }: Response): unknown {
  if (patchType !== 'JSONPatch' && patchType !== undefined)
    throw internalError(`unsupported patch type ${JSON.stringify(patchType)}`)
  try {
    return JSON.parse(Buffer.from(patch, 'base64').toString())
  } catch (error) {
    throw internalError(`failed calling webhook ${JSON.stringify(name)}: received malformed patch`, { cause: error })
  }
}
