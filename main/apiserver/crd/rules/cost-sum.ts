// What the rules of a schema may cost together: estimated on the largest object there can be, and bounded.
import { type FieldError, forbiddenField } from '../../../../common/machinery/field-error.ts'

const ruleLimit = 10_000_000
const schemaLimit = 100_000_000
/** Rules that take at least a hundredth of the limit are named when the sum is too much. */
const worthNaming = schemaLimit / 100

export class CostSum {
  readonly #rules: { path: string; cost: number }[] = []

  /** `times`: how often the rule runs on one object, at most. */
  add(path: string, cost: number, times: number): void {
    this.#rules.push({ path, cost: Math.min(Number.MAX_SAFE_INTEGER, cost * times) })
  }

  errors(schemaPath: string): FieldError[] {
    const errors = this.#rules
      .filter(({ cost }) => cost > ruleLimit)
      .map(({ path, cost }) => forbiddenField(path, exceeds('estimated rule cost', cost, ruleLimit)))
    const total = this.#rules.reduce((sum, { cost }) => sum + cost, 0)
    if (total <= schemaLimit) return errors
    const largest = [...this.#rules].sort((a, b) => b.cost - a.cost).slice(0, 4)
    for (const { path, cost } of largest)
      if (cost >= worthNaming)
        errors.push(
          forbiddenField(
            path,
            'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema',
          ),
        )
    const what = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema'
    return [...errors, forbiddenField(schemaPath, exceeds(what, total, schemaLimit))]
  }
}

function exceeds(what: string, cost: number, limit: number): string {
  const factor = cost / limit
  const by = factor > 100 ? 'more than 100x' : `${factor.toFixed(1)}x`
  return `${what} exceeds budget by factor of ${by} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`
}
