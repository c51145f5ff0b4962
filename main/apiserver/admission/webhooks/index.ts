// MutatingAdmissionWebhook and ValidatingAdmissionWebhook: programs of the cluster's own that change and judge writes.
import type { AdmissionAttributes, AdmissionPlugin, Mutation } from '../admission.ts'
import { isExempt, mayMatch } from '../match-rules.ts'
import { type Reinvocation, Reinvocations } from '../reinvocation.ts'
import { StoredConfigurations } from '../stored-configurations.ts'
import {
  type Asking,
  mutateBy,
  type PreparedWebhook,
  prepareWebhooks,
  validateBy,
  wants,
  type WebhookDependencies,
} from './webhook.ts'

const group = 'admissionregistration.k8s.io'

export function mutatingWebhooks(dependencies: WebhookDependencies): AdmissionPlugin {
  const configured = new StoredConfigurations(group, 'mutatingwebhookconfigurations', prepareWebhooks)
  const reinvocations = new Reinvocations<PreparedWebhook>()
  return {
    name: 'MutatingAdmissionWebhook',
    connects: true,
    mutate(attributes) {
      const hooks = configured.get(attributes.registry)
      if (hooks.length === 0 || isExempt(attributes)) return false
      // Labels and conditions are looked at in turn, as those before may change them; the rules alone decide whether anyone is asked.
      if (!hooks.some(({ matcher }) => mayMatch(matcher, attributes))) return false
      return firstRound(hooks, attributes, reinvocations.begin(attributes), dependencies)
    },
    mutateAgain(attributes) {
      const asked = reinvocations.resume(attributes)
      return asked === undefined
        ? false
        : secondRound(configured.get(attributes.registry), attributes, asked, dependencies)
    },
  }
}

async function firstRound(
  hooks: readonly PreparedWebhook[],
  attributes: AdmissionAttributes,
  asked: Reinvocation<PreparedWebhook>,
  dependencies: WebhookDependencies,
): Promise<Mutation> {
  let changed = false
  for (const [index, hook] of hooks.entries()) {
    const matched = await wants(hook, attributes, dependencies)
    if (matched === undefined) continue
    if (await mutateBy(hook, attributes, { matched, index, round: 0 }, dependencies)) {
      changed = true
      asked.objectChanged()
    }
    if (hook.hook.reinvocationPolicy === 'IfNeeded') asked.wantsToSeeChanges(hook)
  }
  asked.pause(attributes)
  return changed && 'by-others'
}

async function secondRound(
  hooks: readonly PreparedWebhook[],
  attributes: AdmissionAttributes,
  asked: Reinvocation<PreparedWebhook>,
  dependencies: WebhookDependencies,
): Promise<boolean> {
  let changed = false
  for (const [index, hook] of hooks.entries()) {
    const matched = asked.isDue(hook) ? await wants(hook, attributes, dependencies) : undefined
    if (matched === undefined) continue
    if (!(await mutateBy(hook, attributes, { matched, index, round: 1 }, dependencies))) continue
    changed = true
    asked.objectChanged()
  }
  return changed
}

export function validatingWebhooks(dependencies: WebhookDependencies): AdmissionPlugin {
  const configured = new StoredConfigurations(group, 'validatingwebhookconfigurations', prepareWebhooks)
  return {
    name: 'ValidatingAdmissionWebhook',
    connects: true,
    validate(attributes) {
      const hooks = configured.get(attributes.registry)
      if (hooks.length === 0 || isExempt(attributes)) return
      if (!hooks.some(({ matcher }) => mayMatch(matcher, attributes))) return
      return judge(hooks, attributes, dependencies)
    },
  }
}

/** All at once; the first in order that refuses is the one heard. */
async function judge(
  hooks: readonly PreparedWebhook[],
  attributes: AdmissionAttributes,
  dependencies: WebhookDependencies,
): Promise<void> {
  const asked: { hook: PreparedWebhook; asking: Asking }[] = []
  for (const [index, hook] of hooks.entries()) {
    const matched = await wants(hook, attributes, dependencies)
    if (matched !== undefined) asked.push({ hook, asking: { matched, index, round: 0 } })
  }
  const answers = await Promise.allSettled(
    asked.map(({ hook, asking }) => validateBy(hook, attributes, asking, dependencies)),
  )
  for (const answer of answers) if (answer.status === 'rejected') throw answer.reason
}
