// Pure: which pods an autoscaler's target has, or why that cannot be said.
import type { Pod } from '../../../common/api/generated/types.ts'
import type { Selector } from '../../../common/machinery/labels.ts'
import { formatSelector, matchesLabels, parseLabelSelector } from '../../../common/machinery/labels.ts'
import { asError } from '../ownership/slow-start.ts'

/** Nothing can be measured: `event` is the reason of what is told, `reason` that of the condition. */
export interface SelectionProblem {
  event: string
  told: string
  reason: string
  message: string
}
export type Selection = { pods: Pod[]; problem?: undefined } | { pods?: undefined; problem: SelectionProblem }

/** `pods` are those of the namespace, `others` the selectors of its other autoscalers by name. */
export function selectPods(facts: {
  selector: string
  name: string
  namespace: string
  pods: readonly Pod[]
  others: ReadonlyMap<string, string>
}): Selection {
  const { selector, name, namespace, others } = facts
  if (selector === '') {
    const message = "the HPA target's scale is missing a selector"
    return { problem: { event: 'SelectorRequired', told: 'selector is required', reason: 'InvalidSelector', message } }
  }
  let parsed: Selector
  try {
    parsed = parseLabelSelector(selector)
  } catch (error) {
    const message = `couldn't convert selector into a corresponding internal selector object: ${asError(error).message}`
    return { problem: { event: 'InvalidSelector', told: message, reason: 'InvalidSelector', message } }
  }
  const pods = facts.pods.filter(({ metadata }) => matchesLabels(parsed, metadata.labels))
  const rivals = [...others]
    .filter(([, other]) => pods.some(({ metadata }) => matchesLabels(parseLabelSelector(other), metadata.labels)))
    .map(([other]) => other)
  if (rivals.length === 0) return { pods }
  const all = [name, ...rivals].sort().map((rival) => `{${rival} ${namespace}}`)
  const message = `pods by selector ${formatSelector(parsed)} are controlled by multiple HPAs: [${all.join(' ')}]`
  return { problem: { event: 'AmbiguousSelector', told: message, reason: 'AmbiguousSelector', message } }
}
