// What validating and mutating webhooks have in common.
import type { MutatingWebhook, ValidatingWebhook } from '../../../common/api/generated/types.ts'
import {
  duplicate,
  invalidValue,
  notSupported,
  required,
  type FieldError,
} from '../../../common/machinery/field-error.ts'
import { validateLabelSelector } from '../../../common/machinery/object-meta-validation.ts'
import { semanticEqual } from '../equality.ts'
import type { WriteContext } from '../kind.ts'
import { checkName, isDnsLabel1035, isDnsSubdomain } from '../validation/names.ts'
import { checkOptionalOneOf } from '../validation/values.ts'
import { checkWebhookClient } from '../validation/webhook-client.ts'
import { checkMatchConditions } from './match-conditions.ts'
import { checkRule, failurePolicies, matchPolicies, reinvocationPolicies } from './rules.ts'

type Webhook = ValidatingWebhook | MutatingWebhook

const maxTimeoutSeconds = 30
const defaultTimeoutSeconds = 10
const reviewVersions = ['v1', 'v1beta1']
const harmless = ['None', 'NoneOnDryRun']
const sideEffects = [...harmless, 'Some', 'Unknown']

export function setWebhookDefaults(webhook: Webhook): void {
  webhook.failurePolicy ??= 'Fail'
  webhook.matchPolicy ??= 'Equivalent'
  webhook.namespaceSelector ??= {}
  webhook.objectSelector ??= {}
  webhook.timeoutSeconds ??= defaultTimeoutSeconds
  const service = webhook.clientConfig?.service
  if (service !== undefined) service.port ??= 443
  for (const rule of webhook.rules ?? []) rule.scope ??= '*'
}

/** What an update may leave as it was although it is not allowed any more. */
interface Tolerance {
  readonly sideEffects: boolean
  readonly versions: boolean
  readonly names: boolean
  readonly labels: boolean
  readonly conditions: boolean
}

export function checkWebhooks(
  webhooks: readonly Webhook[],
  old: readonly Webhook[] | undefined,
  context: WriteContext,
): FieldError[] {
  const errors: FieldError[] = []
  const tolerance = toleranceOf(webhooks, old)
  const names = new Set<string>()
  webhooks.forEach((webhook, index) => {
    const path = `webhooks[${String(index)}]`
    checkWebhook(errors, path, webhook, tolerance)
    if (!tolerance.conditions) {
      checkMatchConditions(errors, `${path}.matchConditions`, webhook.matchConditions ?? [], {
        hasParams: false,
        context,
      })
    }
    checkVersions(errors, `${path}.admissionReviewVersions`, webhook.admissionReviewVersions ?? [], tolerance)
    const { name = '' } = webhook
    if (!tolerance.names && name !== '' && names.has(name)) errors.push(duplicate(`${path}.name`, name))
    names.add(name)
  })
  return errors
}

function toleranceOf(webhooks: readonly Webhook[], old: readonly Webhook[] | undefined): Tolerance {
  if (old === undefined) return { sideEffects: false, versions: false, names: false, labels: false, conditions: false }
  const selectors = old.flatMap(({ namespaceSelector, objectSelector }) => [namespaceSelector, objectSelector])
  return {
    sideEffects: old.some((webhook) => !harmless.includes(webhook.sideEffects)),
    versions: old.some(
      ({ admissionReviewVersions: versions = [] }) =>
        versions.length > 0 && !versions.some((version) => reviewVersions.includes(version)),
    ),
    names: new Set(old.map(({ name }) => name)).size < old.length,
    labels: selectors.some((selector) => validateLabelSelector(selector, '').length > 0),
    conditions:
      webhooks.length === old.length &&
      webhooks.every((webhook, index) => semanticEqual(webhook.matchConditions, old[index]?.matchConditions)),
  }
}

function checkWebhook(errors: FieldError[], path: string, webhook: Webhook, tolerance: Tolerance): void {
  const { name = '', timeoutSeconds, clientConfig = {} } = webhook
  checkFullName(errors, `${path}.name`, name)
  webhook.rules?.forEach((rule, index) => {
    checkRule(errors, `${path}.rules[${String(index)}]`, rule)
  })
  checkOptionalOneOf(errors, `${path}.failurePolicy`, webhook.failurePolicy, failurePolicies)
  checkOptionalOneOf(errors, `${path}.matchPolicy`, webhook.matchPolicy, matchPolicies)
  const allowed = tolerance.sideEffects ? sideEffects : harmless
  if (webhook.sideEffects === undefined)
    errors.push(required(`${path}.sideEffects`, `must specify one of ${allowed.join(', ')}`))
  else if (!allowed.includes(webhook.sideEffects))
    errors.push(notSupported(`${path}.sideEffects`, webhook.sideEffects, allowed))
  if (timeoutSeconds !== undefined && (timeoutSeconds > maxTimeoutSeconds || timeoutSeconds < 1)) {
    const detail = 'the timeout value must be between 1 and 30 seconds'
    errors.push(invalidValue(`${path}.timeoutSeconds`, timeoutSeconds, detail))
  }
  for (const field of ['namespaceSelector', 'objectSelector'] as const) {
    const options = { allowInvalidLabelValues: tolerance.labels }
    errors.push(...validateLabelSelector(webhook[field], `${path}.${field}`, options))
  }
  if ('reinvocationPolicy' in webhook) {
    checkOptionalOneOf(errors, `${path}.reinvocationPolicy`, webhook.reinvocationPolicy, reinvocationPolicies)
  }
  checkWebhookClient(errors, `${path}.clientConfig`, clientConfig)
}

/** "name.example.com": at least three parts. */
function checkFullName(errors: FieldError[], path: string, name: string): void {
  if (name === '') {
    errors.push(required(path))
    return
  }
  const problems = isDnsSubdomain(name)
  if (problems.length > 0) errors.push(invalidValue(path, name, problems.join(',')))
  else if (name.split('.').length < 3)
    errors.push(invalidValue(path, name, 'should be a domain with at least three segments separated by dots'))
}

function checkVersions(
  errors: FieldError[],
  path: string,
  versions: readonly string[],
  { versions: tolerated }: Tolerance,
): void {
  if (versions.length === 0) {
    errors.push(required(path, `must specify one of ${reviewVersions.join(', ')}`))
    return
  }
  const seen = new Set<string>()
  versions.forEach((version, index) => {
    const at = `${path}[${String(index)}]`
    if (seen.has(version)) errors.push(invalidValue(at, version, 'duplicate version'))
    else checkName(errors, at, version, isDnsLabel1035)
    seen.add(version)
  })
  if (!tolerated && !versions.some((version) => reviewVersions.includes(version))) {
    errors.push(invalidValue(path, versions, `must include at least one of ${reviewVersions.join(', ')}`))
  }
}
