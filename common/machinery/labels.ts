// Label selectors: the string form of query parameters ("app=web,tier in (a,b),!debug"), the object form of specs, and
// matching. Parse errors are upstream's, as 400 BadRequest. Source: apimachinery pkg/labels.
import type { LabelSelector } from './meta.ts'
import { validateLabelValue, validateQualifiedName } from './names.ts'
import { badRequest } from './status.ts'

export type SelectorOperator =
  'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Equals' | 'NotEquals' | 'GreaterThan' | 'LessThan'

export interface Requirement {
  readonly key: string
  readonly operator: SelectorOperator
  readonly values: readonly string[]
}

/** All requirements must hold; an empty list matches everything. */
export type Selector = readonly Requirement[]

export type Labels = Readonly<Record<string, string>>

export const everything: Selector = []
/** Matches no object at all (a missing selector in a spec). */
export const nothing: Selector = [{ key: '', operator: 'In', values: [] }]

/** Parses the string form; throws StatusError 400 with upstream's message. */
export function parseLabelSelector(text: string): Selector {
  return new SelectorParser(text).parse()
}

/** The object form of specs: undefined selects nothing, an empty one everything. Throws StatusError 400 for an unknown operator. */
export function selectorFromObject(selector: LabelSelector | undefined): Selector {
  if (selector === undefined) return nothing
  const requirements: Requirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: 'In',
    values: [value],
  }))
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    if (operator !== 'In' && operator !== 'NotIn' && operator !== 'Exists' && operator !== 'DoesNotExist') {
      throw badRequest(`"${operator}" is not a valid label selector operator`)
    }
    requirements.push({ key, operator, values })
  }
  return requirements
}

/** A plain map of labels as selector (Service, ReplicationController): undefined or empty selects nothing. */
export function selectorFromMap(labels: Labels | undefined): Selector {
  const entries = Object.entries(labels ?? {})
  if (entries.length === 0) return nothing
  return entries.map(([key, value]) => ({ key, operator: 'Equals', values: [value] }))
}

export const matchesLabels = (selector: Selector, labels: Labels | undefined): boolean =>
  selector.every((requirement) => meets(requirement, labels))

function meets({ key, operator, values }: Requirement, labels: Labels | undefined): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'In':
    case 'Equals':
      return value !== undefined && values.includes(value)
    case 'NotIn':
    case 'NotEquals':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'GreaterThan':
    case 'LessThan': {
      const actual = integer(value)
      const bound = integer(values[0])
      if (actual === undefined || bound === undefined) return false
      return operator === 'GreaterThan' ? actual > bound : actual < bound
    }
  }
}

const integer = (text: string | undefined): bigint | undefined =>
  text !== undefined && /^[+-]?[0-9]{1,19}$/.test(text) ? BigInt(text.replace('+', '')) : undefined

/** The string form, requirements sorted by key as upstream prints them. */
export function formatSelector(selector: Selector): string {
  return [...selector]
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(formatRequirement)
    .join(',')
}

function formatRequirement({ key, operator, values }: Requirement): string {
  const list = (): string => `(${[...values].sort().join(',')})`
  switch (operator) {
    case 'Equals':
      return `${key}=${values[0] ?? ''}`
    case 'NotEquals':
      return `${key}!=${values[0] ?? ''}`
    case 'GreaterThan':
      return `${key}>${values[0] ?? ''}`
    case 'LessThan':
      return `${key}<${values[0] ?? ''}`
    case 'In':
      return `${key} in ${list()}`
    case 'NotIn':
      return `${key} notin ${list()}`
    case 'Exists':
      return key
    case 'DoesNotExist':
      return `!${key}`
  }
}

/** As kubectl prints a LabelSelector object: "app=web,tier in (a,b)"; "<none>" when absent or empty. */
export function formatLabelSelector(selector: LabelSelector | undefined): string {
  const parsed = selector === undefined ? [] : selectorFromObject(selector)
  if (parsed.length === 0) return '<none>'
  return formatSelector(
    parsed.map((requirement) =>
      requirement.operator === 'In' && requirement.values.length === 1
        ? { ...requirement, operator: 'Equals' as const }
        : requirement,
    ),
  )
}

type TokenKind = 'end' | 'identifier' | '!' | '=' | '==' | '!=' | ',' | '(' | ')' | '>' | '<' | 'in' | 'notin' | 'error'
interface Token {
  kind: TokenKind
  text: string
}

const binaryOperators = 'in, notin, =, ==, !=, gt, lt'
const symbolOperators: Partial<Record<TokenKind, SelectorOperator>> = {
  '=': 'Equals',
  '==': 'Equals',
  '!=': 'NotEquals',
  '>': 'GreaterThan',
  '<': 'LessThan',
  in: 'In',
  notin: 'NotIn',
}

function* tokens(text: string): Generator<Token> {
  const expression = /\s+|==|!=|[=!(),><]|[^\s=!(),><]+/gy
  for (let match = expression.exec(text); match !== null; match = expression.exec(text)) {
    const [piece] = match
    if (/^\s/.test(piece)) continue
    if (piece === 'in' || piece === 'notin' || /^[=!(),><]/.test(piece)) yield { kind: piece as TokenKind, text: piece }
    else yield { kind: 'identifier', text: piece }
  }
}

class SelectorParser {
  readonly #tokens: readonly Token[]
  #position = 0

  constructor(text: string) {
    this.#tokens = [...tokens(text)]
  }

  parse(): Selector {
    const requirements: Requirement[] = []
    for (;;) {
      const token = this.#peek('values')
      if (token.kind === 'end') return requirements
      if (token.kind !== 'identifier' && token.kind !== '!') {
        throw badRequest(`found '${token.text}', expected: !, identifier, or 'end of string'`)
      }
      requirements.push(this.#requirement())
      const next = this.#next('values')
      if (next.kind === 'end') return requirements
      if (next.kind !== ',') throw badRequest(`found '${next.text}', expected: ',' or 'end of string'`)
      const after = this.#peek('values')
      if (after.kind !== 'identifier' && after.kind !== '!') {
        throw badRequest(`found '${after.text}', expected: identifier after ','`)
      }
    }
  }

  #requirement(): Requirement {
    let token = this.#next('values')
    const negated = token.kind === '!'
    if (negated) token = this.#next('values')
    if (token.kind !== 'identifier') throw unable(`found '${token.text}', expected: identifier`)
    const key = token.text
    const wrong = validateQualifiedName(key)
    if (wrong.length > 0) throw unable(`<nil>: Invalid value: ${JSON.stringify(key)}: ${wrong.join('; ')}`)
    if (negated) return { key, operator: 'DoesNotExist', values: [] }
    const ahead = this.#peek('values')
    if (ahead.kind === 'end' || ahead.kind === ',') return { key, operator: 'Exists', values: [] }

    const sign = this.#next('operator')
    const operator = symbolOperators[sign.kind]
    if (operator === undefined) throw unable(`found '${sign.text}', expected: ${binaryOperators}`)
    const values = operator === 'In' || operator === 'NotIn' ? this.#values() : [this.#exactValue()]
    if (operator === 'GreaterThan' || operator === 'LessThan') {
      const [value = ''] = values
      if (integer(value) === undefined) {
        throw unable(
          `values[0][${key}]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
        )
      }
    }
    for (const [index, value] of values.entries()) {
      const messages = validateLabelValue(value)
      if (messages.length > 0) {
        throw unable(
          `values[${String(index)}][${key}]: Invalid value: ${JSON.stringify(value)}: ${messages.join('; ')}`,
        )
      }
    }
    return { key, operator, values }
  }

  /** "(a,b)"; an empty item is the empty string. */
  #values(): string[] {
    const open = this.#next('values')
    if (open.kind !== '(') throw unable(`found '${open.text}' expected: '('`)
    const first = this.#peek('values')
    if (first.kind !== 'identifier' && first.kind !== ',' && first.kind !== ')') {
      throw unable(`found '${first.text}', expected: ',', ')' or identifier`)
    }
    const values: string[] = []
    let expectValue = true
    for (;;) {
      const token = this.#next('values')
      if (token.kind === 'identifier' && expectValue) {
        values.push(token.text)
        expectValue = false
      } else if (token.kind === ',') {
        if (expectValue) values.push('')
        expectValue = true
      } else if (token.kind === ')') {
        if (expectValue) values.push('')
        return [...new Set(values)]
      } else {
        throw unable(`found '${token.text}', expected: ',', or ')'`)
      }
    }
  }

  #exactValue(): string {
    const token = this.#peek('values')
    if (token.kind === 'end' || token.kind === ',') return ''
    this.#next('values')
    if (token.kind !== 'identifier') throw unable(`found '${token.text}', expected: identifier`)
    return token.text
  }

  /** "in" and "notin" are words of the language only where an operator stands. */
  #peek(context: 'values' | 'operator'): Token {
    const token = this.#tokens[this.#position] ?? { kind: 'end', text: '' }
    if (context === 'values' && (token.kind === 'in' || token.kind === 'notin')) {
      return { kind: 'identifier', text: token.text }
    }
    return token
  }

  #next(context: 'values' | 'operator'): Token {
    const token = this.#peek(context)
    this.#position += 1
    return token
  }
}

const unable = (why: string): Error => badRequest(`unable to parse requirement: ${why}`)
