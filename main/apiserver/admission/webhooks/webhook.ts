// One webhook: whether it is asked about a request, how it is asked, and what its answer means.
import { randomUUID } from 'node:crypto'
import type { MutatingWebhook, ValidatingWebhook } from '../../../../common/api/generated/types.ts'
import type { JsonObject } from '../../../../common/machinery/json.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import { applyJsonPatch } from '../../../../common/machinery/patch/json-patch.ts'
import { badRequest, internalError, StatusError } from '../../../../common/machinery/status.ts'
import type { Authorizer } from '../../auth/authorizer.ts'
import type { ServedResource } from '../../registry/served-resource.ts'
import type { Identity, WebhookClient } from '../../webhooks/client.ts'
import type { AdmissionAttributes } from '../admission.ts'
import { type PluginConfiguration, requireKind } from '../configuration.ts'
import { compileConditions, type Conditions } from '../match-conditions.ts'
import { type Matcher, matchRequest, newMatcher } from '../match-rules.ts'
import { replaceObject } from '../replace-object.ts'
import type { AdmissionMetrics } from '../metrics.ts'
import { asMatched, convertToMatched, convertToRequested } from '../matched-version.ts'
import { requestFacts } from '../request-facts.ts'

type Hook = ValidatingWebhook & MutatingWebhook

export interface PreparedWebhook {
  readonly configuration: string
  readonly hook: Hook
  readonly matcher: Matcher
  readonly conditions: Conditions
}

export interface WebhookDependencies {
  readonly authorizer: () => Authorizer
  readonly client: WebhookClient
  /** Who this server is, by the hosts of webhooks. */
  readonly identities: ReadonlyMap<string, Identity>
  readonly metrics: AdmissionMetrics
}

export function readIdentities(configuration: PluginConfiguration | undefined): ReadonlyMap<string, Identity> {
  if (configuration !== undefined)
    requireKind(configuration, 'apiserver.config.k8s.io', 'WebhookAdmissionConfiguration')
  return configuration?.identities ?? new Map()
}

/** The entry for the host, else for the domains it is in, else for all. */
function identityOf(
  identities: ReadonlyMap<string, Identity>,
  { service, url }: Hook['clientConfig'],
): Identity | undefined {
  if (identities.size === 0) return undefined
  const { hostname, port } =
    service === undefined
      ? new URL(url ?? '')
      : { hostname: `${service.name}.${service.namespace}.svc`, port: String(service.port ?? 443) }
  const labels = hostname.split('.')
  const names = [hostname, ...labels.slice(1).map((_, index) => ['*', ...labels.slice(index + 1)].join('.'))]
  return [...names.flatMap((name) => [`${name}:${port === '' ? '443' : port}`, name]), '*']
    .map((name) => identities.get(name))
    .find((identity) => identity !== undefined)
}

export function prepareWebhooks(configurations: readonly KubeObject[]): PreparedWebhook[] {
  return configurations.flatMap((configuration) =>
    ((configuration as { webhooks?: Hook[] }).webhooks ?? []).map((hook) => ({
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
export async function wants(
  { hook, matcher, conditions }: PreparedWebhook,
  attributes: AdmissionAttributes,
  { authorizer }: WebhookDependencies,
): Promise<ServedResource | undefined> {
  const matched = matchRequest(matcher, attributes)
  if (matched === undefined) return undefined
  await convertToMatched(attributes, matched)
  return conditions.hold(attributes, { matched, authorizer: authorizer(), failurePolicy: hook.failurePolicy ?? 'Fail' })
    ? matched
    : undefined
}

export interface Asking {
  readonly matched: ServedResource
  /** Its place among the webhooks of its type, in audit annotations. */
  readonly index: number
  readonly round: 0 | 1
}

/** Validates by one webhook. Throws StatusError when it says no, or fails and its policy is to fail. */
export async function validateBy(
  { hook }: PreparedWebhook,
  attributes: AdmissionAttributes,
  { matched, index, round }: Asking,
  dependencies: WebhookDependencies,
): Promise<void> {
  const note = outcomeOf(hook, 'validating', attributes, dependencies)
  try {
    await ask(hook, attributes, matched, dependencies)
    note()
  } catch (error) {
    note(error)
    if (!ignored(hook, error)) throw asStatus(hook, error)
    const key = `failed-open.validating.webhook.admission.k8s.io/round_${String(round)}_index_${String(index)}`
    attributes.request.audit?.(key, hook.name)
  }
}

/** True when the webhook changed the object. Throws as validateBy. */
export async function mutateBy(
  { hook, configuration }: PreparedWebhook,
  attributes: AdmissionAttributes,
  { matched, index, round }: Asking,
  dependencies: WebhookDependencies,
): Promise<boolean> {
  const place = `round_${String(round)}_index_${String(index)}`
  const note = (topic: string, what: object): void => {
    const value = JSON.stringify({ configuration, webhook: hook.name, ...what })
    attributes.request.audit?.(`${topic}.webhook.admission.k8s.io/${place}`, value)
  }
  const noteOutcome = outcomeOf(hook, 'admit', attributes, dependencies)
  let mutated = false
  try {
    const patch = readPatch(await ask(hook, attributes, matched, dependencies))
    if (patch.length > 0) mutated = await patchObject(hook, attributes, matched, patch)
    if (mutated) note('patch', { patch, patchType: 'JSONPatch' })
    noteOutcome()
  } catch (error) {
    noteOutcome(error)
    if (!ignored(hook, error)) throw asStatus(hook, error)
    attributes.request.audit?.(`failed-open.mutation.webhook.admission.k8s.io/${place}`, hook.name)
  } finally {
    note('mutation', { mutated })
  }
  return mutated
}

/** Counts how asking the webhook ended: to be told the error, or none. */
function outcomeOf(
  hook: Hook,
  type: 'admit' | 'validating',
  { operation }: AdmissionAttributes,
  { metrics }: WebhookDependencies,
): (error?: unknown) => void {
  const from = performance.now()
  return (error) => {
    const asked = { name: hook.name, type, operation, seconds: (performance.now() - from) / 1000 }
    if (error === undefined) metrics.webhook({ ...asked, code: 200 })
    else if (error instanceof Denied) metrics.webhook({ ...asked, code: error.code, rejected: 'no_error' })
    else if (!(error instanceof CallFailure))
      metrics.webhook({ ...asked, code: 0, rejected: 'apiserver_internal_error' })
    else if (ignored(hook, error)) metrics.webhook({ ...asked, code: 503, failedOpen: true })
    else metrics.webhook({ ...asked, code: 503, rejected: 'calling_webhook_error' })
  }
}

/** The webhook said no. */
class Denied extends StatusError {}

/** The webhook could not be asked, or its answer makes no sense: what failurePolicy is about. */
class CallFailure extends Error {}

const ignored = ({ failurePolicy }: Hook, error: unknown): boolean =>
  error instanceof CallFailure && failurePolicy === 'Ignore'

const asStatus = ({ name }: Hook, error: unknown): unknown =>
  error instanceof CallFailure
    ? internalError(`failed calling webhook ${JSON.stringify(name)}: ${error.message}`, { cause: error })
    : error

/** The answer of a webhook that allows the request. Throws StatusError when it does not, CallFailure when there is none. */
async function ask(
  hook: Hook,
  attributes: AdmissionAttributes,
  matched: ServedResource,
  { client, identities }: WebhookDependencies,
): Promise<Response> {
  const { request, object, old } = attributes
  if (request.dryRun && hook.sideEffects !== 'None' && hook.sideEffects !== 'NoneOnDryRun')
    throw badRequest(`admission webhook ${JSON.stringify(hook.name)} does not support dry run`)
  const version = hook.admissionReviewVersions.find((one) => one === 'v1' || one === 'v1beta1') ?? 'v1'
  const uid = randomUUID()
  const seen = (one: KubeObject | undefined): KubeObject | null =>
    one === undefined ? null : asMatched(attributes, matched, one)
  const body = {
    kind: 'AdmissionReview',
    apiVersion: `admission.k8s.io/${version}`,
    request: { uid, ...requestFacts(attributes, matched), object: seen(object), oldObject: seen(old) },
  }
  const { service, url, caBundle } = hook.clientConfig
  const config = {
    ...(url === undefined ? {} : { url }),
    ...(caBundle === undefined ? {} : { caBundle }),
    ...(service === undefined ? {} : { service }),
  }
  let response: Response
  try {
    const identity = identityOf(identities, hook.clientConfig)
    const answer = await client.post({ config, identity, timeoutSeconds: hook.timeoutSeconds ?? 10, body })
    response = readReview(answer, body.apiVersion, uid)
  } catch (error) {
    throw new CallFailure(error instanceof Error ? error.message : String(error), { cause: error })
  }
  for (const [key, value] of Object.entries(response.auditAnnotations ?? {}))
    request.audit?.(`${hook.name}/${key}`, value)
  for (const warning of response.warnings ?? []) request.warn(warning)
  if (response.allowed !== true) throw denied(hook.name, response.status)
  return response
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

/** Throws Error for an answer that is none to this question. */
function readReview(answer: unknown, apiVersion: string, uid: string): Response {
  const invalid = (why: string): Error => new Error(`received invalid webhook response: ${why}`)
  const { response, ...type } = (answer ?? {}) as { response?: Response; kind?: string; apiVersion?: string }
  if (type.kind !== 'AdmissionReview' || type.apiVersion !== apiVersion)
    throw invalid(
      `expected webhook response of ${apiVersion}, Kind=AdmissionReview, got ${type.apiVersion ?? ''}, Kind=${type.kind ?? ''}`,
    )
  if (typeof response !== 'object') throw invalid('webhook response was absent')
  // The older version did not ask for the uid, nor for the type of a patch.
  if (apiVersion.endsWith('/v1beta1')) return { ...response, patchType: 'JSONPatch' }
  if (response.uid !== uid)
    throw invalid(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  const { patch = '', patchType = '' } = response
  if (patch !== '' && patchType === '') throw invalid('webhook returned response.patch but not response.patchType')
  if (patch === '' && patchType !== '') throw invalid('webhook returned response.patchType but not response.patch')
  return response
}

/** A webhook's no: its own words behind whose they are; never a code that is no error. */
function denied(name: string, status: Response['status']): StatusError {
  const { code = 0, message = '', reason = '' } = status ?? {}
  const by = `admission webhook ${JSON.stringify(name)} denied the request`
  const why = message !== '' ? message : reason
  return new Denied({
    ...status,
    code: code < 400 ? 400 : code,
    message: why === '' ? `${by} without explanation` : `${by}: ${why}`,
    ...(reason === '' ? {} : { reason }),
  })
}

/** Empty when there is none. */
function readPatch({ patch = '', patchType }: Response): readonly unknown[] {
  if (patch === '') return []
  if (patchType !== 'JSONPatch') throw new CallFailure(`unsupported patch type ${JSON.stringify(patchType ?? '')}`)
  try {
    const operations: unknown = JSON.parse(Buffer.from(patch, 'base64').toString())
    if (Array.isArray(operations)) return operations
    throw new Error('it is no list of operations')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new CallFailure(`received undecodable patch in webhook response: ${why}`, { cause: error })
  }
}

async function patchObject(
  { name }: Hook,
  attributes: AdmissionAttributes,
  matched: ServedResource,
  patch: readonly unknown[],
): Promise<boolean> {
  const { object } = attributes
  if (object === undefined)
    throw internalError(
      `admission webhook ${JSON.stringify(name)} attempted to modify the object, which is not supported for this operation`,
    )
  const copy = structuredClone(asMatched(attributes, matched, object)) as unknown as JsonObject
  let patched: unknown
  try {
    patched = applyJsonPatch(copy, patch)
  } catch (error) {
    throw internalError(error instanceof Error ? error.message : String(error), { cause: error })
  }
  return replaceObject(attributes, object, await convertToRequested(attributes, matched, patched as KubeObject))
}
