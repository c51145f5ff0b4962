// Selectors as attributes of a request: as they are told to those who decide, and as reviews name them.
import type { FieldSelectorAttributes, LabelSelectorAttributes } from '../../../../common/api/generated/types.ts'
import { parseFieldSelector } from '../../../../common/machinery/fields.ts'
import { formatLabelSelector, parseLabelSelector, type SelectorOperator } from '../../../../common/machinery/labels.ts'
import type { ResourceAttributes } from '../authorizer.ts'

interface SelectorAttributes {
  fieldSelector?: FieldSelectorAttributes
  labelSelector?: LabelSelectorAttributes
}

const operators: Partial<Record<SelectorOperator, string>> = {
  In: 'In',
  Equals: 'In',
  NotEquals: 'NotIn',
  NotIn: 'NotIn',
  Exists: 'Exists',
  DoesNotExist: 'DoesNotExist',
}

/** A selector that cannot be read is left out: what it leaves of the objects is then unknown. */
export function selectorAttributes({ fieldSelector, labelSelector }: ResourceAttributes): SelectorAttributes {
  const attributes: SelectorAttributes = {}
  if (fieldSelector !== undefined)
    attempt(() => {
      attributes.fieldSelector = {
        requirements: parseFieldSelector(fieldSelector).map(({ field, operator, value }) => ({
          key: field,
          operator: operator === '!=' ? 'NotIn' : 'In',
          values: [value],
        })),
      }
    })
  if (labelSelector !== undefined)
    attempt(() => {
      attributes.labelSelector = {
        requirements: parseLabelSelector(labelSelector).flatMap(({ key, operator, values }) => {
          const name = operators[operator]
          if (name === undefined) return []
          return [{ key, operator: name, ...(values.length === 0 ? {} : { values: [...values] }) }]
        }),
      }
    })
  return attributes
}

/** The selectors a review asks about, as a request would write them. */
export function writtenSelectors({ fieldSelector, labelSelector }: SelectorAttributes): {
  fieldSelector?: string
  labelSelector?: string
} {
  const field =
    fieldSelector?.rawSelector ??
    (fieldSelector?.requirements ?? [])
      .flatMap(({ key, operator, values = [] }) => {
        const [value] = values
        return value === undefined ? [] : [`${key}${operator === 'NotIn' ? '!=' : '='}${value}`]
      })
      .join(',')
  const label =
    labelSelector?.rawSelector ?? formatLabelSelector({ matchExpressions: labelSelector?.requirements ?? [] })
  return {
    ...(field === '' ? {} : { fieldSelector: field }),
    ...(label === '' || label === '<none>' ? {} : { labelSelector: label }),
  }
}

function attempt(step: () => void): void {
  try {
    step()
  } catch {
    // Left out.
  }
}
