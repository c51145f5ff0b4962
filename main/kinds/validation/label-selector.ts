// Validation of metav1.LabelSelector fields.
import type { LabelSelector } from '../../../common/api/generated/types.ts'
import type { FieldError } from '../../../common/machinery/field-error.ts'
import { matchesLabels, selectorFromObject } from '../../../common/machinery/labels.ts'
import { validateLabelSelector } from '../../../common/machinery/object-meta-validation.ts'
import { StatusError } from '../../../common/machinery/status.ts'

export function checkLabelSelector(errors: FieldError[], path: string, selector: LabelSelector | undefined): void {
  if (selector !== undefined) errors.push(...validateLabelSelector(selector, path))
}

export const isEmptySelector = (selector: LabelSelector): boolean =>
  Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0

/** Whether the labels satisfy the selector; undefined when the selector is malformed. */
export function selectorMatches(
  selector: LabelSelector,
  labels: Readonly<Record<string, string>> = {},
): boolean | undefined {
  try {
    return matchesLabels(selectorFromObject(selector), labels)
  } catch (error) {
    if (error instanceof StatusError) return undefined
    throw error
  }
}
