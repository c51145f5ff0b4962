// MutatingAdmissionWebhook and ValidatingAdmissionWebhook: programs of the cluster's own that change and judge writes.
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import type { JsonObject } from '../../../../common/machinery/json.ts'
import { applyJsonPatch } from '../../../../common/machinery/patch/json-patch.ts'
import { internalError } from '../../../../common/machinery/status.ts'
import type { ServedResource } from '../../registry/served-resource.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { isExempt, mayMatch } from '../match-rules.ts'
import { replaceObject } from '../replace-object.ts'
import { asVersion } from '../request-facts.ts'
import { StoredConfigurations } from '../stored-configurations.ts'
import { ask, type PreparedWebhook, prepareWebhooks, wants, type WebhookDependencies } from './webhook.ts'

const group = 'admissionregistration.k8s.io'

export function mutatingWebhooks(dependencies: WebhookDependencies): AdmissionPlugin {
  const configured = new StoredConfigurations(group, 'mutatingwebhookconfigurations', prepareWebhooks)
  return {
    name: 'MutatingAdmissionWebhook',
    mutate(attributes) {
      const hooks = configured.get(attributes.registry)
      if (hooks.length === 0 || isExempt(attributes)) return false
      // Labels and conditions are looked at in turn, as those before may change them; the rules alone decide whether anyone is asked.
      if (!hooks.some(({ matcher }) => mayMatch(matcher, attributes))) return false
      return mutate(hooks, attributes, dependencies)
    },
  }
}

async function mutate(
  hooks: readonly PreparedWebhook[],
  attributes: AdmissionAttributes,
  dependencies: WebhookDependencies,
): Promise<boolean> {
  /** Webhooks that want to see the object again when others changed it after them. */
  const again = new Map<PreparedWebhook, boolean>()
  let changed = false
  for (const hook of hooks) {
    const did = await mutateBy(hook, attributes, dependencies)
    if (did === undefined) continue
    if (did) {
      changed = true
      for (const earlier of again.keys()) again.set(earlier, true)
    }
    if (hook.hook.reinvocationPolicy === 'IfNeeded') again.set(hook, false)
  }
  for (const [hook, needed] of again) if (needed) await mutateBy(hook, attributes, dependencies)
  return changed
}

/** True when it changed the object, undefined when it was not asked. */
async function mutateBy(
  hook: PreparedWebhook,
  attributes: AdmissionAttributes,
  dependencies: WebhookDependencies,
): Promise<boolean | undefined> {
  const matched = wants(hook, attributes, dependencies)
  if (matched === undefined) return undefined
  const answer = await ask(hook, attributes, matched, dependencies)
  if (answer?.patch === undefined) return false
  const { object, operation } = attributes
  if (object === undefined || operation === 'DELETE')
    throw internalError(
      `admission webhook ${JSON.stringify(hook.hook.name)} attempted to modify the object, which is not supported for this operation`,
    )
  return patchObject(attributes, object, answer.patch, matched)
}

function patchObject(
  attributes: AdmissionAttributes,
  object: KubeObject,
  patch: unknown,
  matched: ServedResource,
): boolean {
  const { resource } = attributes
  if (Array.isArray(patch) && patch.length === 0) return false
  const copy = structuredClone(asVersion(object, resource, matched)) as unknown as JsonObject
  let patched: unknown
  try {
    patched = applyJsonPatch(copy, patch)
  } catch (error) {
    throw internalError(error instanceof Error ? error.message : String(error), { cause: error })
  }
  return replaceObject(attributes, object, asVersion(patched as KubeObject, matched, resource))
}

export function validatingWebhooks(dependencies: WebhookDependencies): AdmissionPlugin {
  const configured = new StoredConfigurations(group, 'validatingwebhookconfigurations', prepareWebhooks)
  return {
    name: 'ValidatingAdmissionWebhook',
    validate(attributes) {
      const hooks = configured.get(attributes.registry)
      if (hooks.length === 0 || isExempt(attributes)) return
      const asked = hooks.flatMap((hook) => {
        const matched = wants(hook, attributes, dependencies)
        return matched === undefined ? [] : [{ hook, matched }]
      })
      if (asked.length === 0) return
      return judge(asked, attributes, dependencies)
    },
  }
}

/** All at once; the first in order that refuses is the one heard. */
async function judge(
  asked: readonly { readonly hook: PreparedWebhook; readonly matched: ServedResource }[],
  attributes: AdmissionAttributes,
  dependencies: WebhookDependencies,
): Promise<void> {
  const answers = await Promise.allSettled(
    asked.map(({ hook, matched }) => ask(hook, attributes, matched, dependencies)),
  )
  for (const answer of answers) if (answer.status === 'rejected') throw answer.reason
}
