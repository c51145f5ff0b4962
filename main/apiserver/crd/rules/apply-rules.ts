// Rules on an object that is written: what they say of it, compared with what was there before.
import { FieldError, type FieldErrorReason, omitValue } from '../../../../common/machinery/field-error.ts'
import { isJsonObject, jsonEqual } from '../../../../common/machinery/json.ts'
import { Budget, CelError, CostExceeded } from '../../cel/compile.ts'
import { newDeadline, perCallLimit, perRequestLimit } from '../../cel/running/budget.ts'
import { fromJson, none, Optional } from '../../cel/values.ts'
import { correlated } from '../correlation.ts'
import type { CompiledRule, RuleTree } from './compile-rules.ts'

export interface RuleOptions {
  /** Failures of what did not change are told instead of refused. */
  readonly warn: (text: string) => void
}

const outOfBudget = 'validation failed due to running out of cost budget, no further validation rules will be run'

/** All failures. `old` is undefined on creation. */
export function applyRules(tree: RuleTree, value: unknown, old: unknown, options: RuleOptions): FieldError[] {
  const run = new RuleRun(options)
  run.visit(tree, { value, old, path: '', unchanged: false })
  return run.errors
}

interface Place {
  readonly value: unknown
  /** What stood in the same place before; undefined when nothing did, or when it cannot be told. */
  readonly old: unknown
  readonly path: string
  /** Something around this place is as it was. */
  readonly unchanged: boolean
}

class RuleRun {
  readonly errors: FieldError[] = []
  readonly #options: RuleOptions
  readonly #deadline = newDeadline()
  #remaining = perRequestLimit

  constructor(options: RuleOptions) {
    this.#options = options
  }

  visit(tree: RuleTree, place: Place): void {
    const { value, old, path } = place
    if (value === undefined || value === null || this.#remaining < 0) return
    const unchanged = place.unchanged || (old !== undefined && old !== null && jsonEqual(old, value))
    this.#judge(tree, { ...place, unchanged })
    if (Array.isArray(value)) {
      if (tree.items === undefined) return
      const { items } = tree
      const before = correlated(tree.schema, old)
      value.forEach((item: unknown, index) => {
        this.visit(items, { value: item, old: before(item), path: `${path}[${String(index)}]`, unchanged })
      })
    } else if (isJsonObject(value)) {
      const previous = isJsonObject(old) ? old : {}
      for (const [name, item] of Object.entries(value)) {
        const child = tree.properties.get(name) ?? tree.values
        if (child === undefined) continue
        const at = tree.properties.has(name) ? (path === '' ? name : `${path}.${name}`) : `${path}[${name}]`
        this.visit(child, {
          value: item,
          old: Object.hasOwn(previous, name) ? previous[name] : undefined,
          path: at,
          unchanged,
        })
      }
    }
  }

  #judge(tree: RuleTree, place: Place): void {
    if (tree.rules.length === 0) return
    const self = fromJson(place.value, tree.type)
    const hasOld = place.old !== undefined && place.old !== null
    const oldSelf = hasOld ? fromJson(place.old, tree.type) : undefined
    for (const rule of tree.rules) {
      const optional = rule.rule.optionalOldSelf === true
      if (rule.usesOld && !hasOld && !optional) continue
      const old = optional ? (oldSelf === undefined ? none : new Optional(oldSelf)) : oldSelf
      if (!this.#holds(rule, { self, ...(old === undefined ? {} : { oldSelf: old }) }, place)) return
    }
  }

  /** False when nothing more may run. */
  #holds(rule: CompiledRule, variables: Readonly<Record<string, unknown>>, place: Place): boolean {
    const { program } = rule
    const shown = typeName(place.value)
    const wrong = (detail: string): void => {
      this.errors.push(new FieldError('FieldValueInvalid', place.path, shown, detail))
    }
    if (program instanceof Error) {
      wrong(`rule compile error: ${program.message}`)
      return true
    }
    const budget = new Budget(Math.min(perCallLimit, this.#remaining), this.#deadline)
    const text = ruleText(rule)
    try {
      const result = program.run(variables, budget)
      this.#remaining -= budget.spent
      if (result !== true) this.#fail(rule, variables, place)
      return true
    } catch (error) {
      this.#remaining -= budget.spent
      if (error instanceof CostExceeded) {
        if (this.#remaining <= 0) wrong(outOfBudget)
        else
          wrong(
            `'${error.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${text}`,
          )
        this.#remaining = -1
        return false
      }
      if (!(error instanceof CelError)) throw error
      if (error.message.startsWith('no such overload'))
        wrong(
          `'${error.message}': call arguments did not match a supported operator, function or macro signature for rule: ${text}`,
        )
      else wrong(`${error.message} evaluating rule: ${text}`)
      return true
    }
  }

  #fail(rule: CompiledRule, variables: Readonly<Record<string, unknown>>, { path, value, unchanged }: Place): void {
    const { fieldPath = '', reason = 'FieldValueInvalid' } = rule.rule
    const at = `${path}${path === '' ? fieldPath.replace(/^\./, '') : fieldPath}`
    const isNested = Array.isArray(value) || isJsonObject(value)
    const shown = isNested ? omitValue : value
    const error = new FieldError(reason as FieldErrorReason, at, shown, this.#message(rule, variables))
    if (unchanged && !rule.usesOld) this.#options.warn(String(error))
    else this.errors.push(error)
  }

  #message({ rule, message }: CompiledRule, variables: Readonly<Record<string, unknown>>): string {
    if (message !== undefined && !(message instanceof Error)) {
      const budget = new Budget(Math.max(1, Math.min(perCallLimit, this.#remaining)), this.#deadline)
      try {
        const made = message.run(variables, budget)
        const text = typeof made === 'string' ? made.trim() : ''
        if (text !== '' && text.length <= maxMessageLength && !text.includes('\n')) return text
      } catch (error) {
        if (!(error instanceof CelError || error instanceof CostExceeded)) throw error
        // The plain message stands in for one that cannot be made.
      } finally {
        this.#remaining -= budget.spent
      }
    }
    const plain = (rule.message ?? '').trim()
    return plain !== '' ? plain : `failed rule: ${rule.rule.trim()}`
  }
}

const maxMessageLength = 5 * 1024

/** The rule as errors about it show it. */
const ruleText = ({ rule }: CompiledRule): string => {
  const message = (rule.message ?? '').trim()
  return message === '' ? rule.rule.trim() : message
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}
