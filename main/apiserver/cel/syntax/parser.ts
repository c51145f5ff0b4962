// Tokens to a tree, by recursive descent with a bounded depth. Grammar: https://github.com/google/cel-spec/blob/master/doc/langdef.md
import type { Expr, MapEntry, StructField } from './ast.ts'
import { SyntaxIssue } from './issue.ts'
import { type Token, tokenize } from './lexer.ts'
import { expandMacro } from './macros.ts'

/** As upstream: deeper nesting than a person writes is refused, so that no expression can exhaust the stack. */
const maxDepth = 50
const maxNodes = 20_000
const maxChain = 300

const reserved = new Set(
  'as break const continue else false for function if import in let loop null package namespace return true var void while'.split(
    ' ',
  ),
)

/** Functions written "namespace.function(…)"; everything else with a dot before the call is a method. */
const namespaces = new Set([
  'optional',
  'math',
  'sets',
  'ip',
  'cidr',
  'format',
  'strings',
  'lists',
  'base64',
  'jsonpatch',
])
const namespaced = new Set([
  'optional.of',
  'optional.none',
  'optional.ofNonZeroValue',
  'optional.unwrap',
  'math.greatest',
  'math.least',
  'sets.contains',
  'sets.equivalent',
  'sets.intersects',
  'ip.isCanonical',
  'format.named',
  'jsonpatch.escapeKey',
  'strings.quote',
  'lists.range',
  'base64.encode',
  'base64.decode',
])
const formatNames = /^(?:dns|qualified|label|uri|uuid|byte|date)/

export function parse(source: string): Expr {
  const parser = new Parser(tokenize(source))
  const tree = parser.expression()
  parser.end()
  return tree
}

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0
  #nodes = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  end(): void {
    if (this.#token.type !== 'end') this.#unexpected('<EOF>')
  }

  expression(): Expr {
    return this.#nested(() => {
      const condition = this.#binary(0)
      if (!this.#is('?')) return condition
      const { offset } = this.#next()
      const yes = this.#binary(0)
      this.#expect(':')
      const no = this.expression()
      return this.#call(offset, '_?_:_', [condition, yes, no])
    })
  }

  get #token(): Token {
    return this.#tokens[this.#at] ?? { type: 'end', text: '<EOF>', offset: 0 }
  }

  #next(): Token {
    const token = this.#token
    this.#at += 1
    return token
  }

  #is(text: string): boolean {
    const { type, text: own } = this.#token
    return (type === 'symbol' || (type === 'name' && text === 'in')) && own === text
  }

  #take(text: string): boolean {
    if (!this.#is(text)) return false
    this.#at += 1
    return true
  }

  #expect(text: string): Token {
    if (!this.#is(text)) this.#unexpected(`'${text}'`)
    return this.#next()
  }

  #unexpected(expecting: string): never {
    const { text, offset } = this.#token
    throw new SyntaxIssue(offset, `mismatched input '${text}' expecting ${expecting}`)
  }

  #nested<T>(work: () => T): T {
    this.#depth += 1
    if (this.#depth > maxDepth)
      throw new SyntaxIssue(this.#token.offset, `expression recursion limit exceeded: ${String(maxDepth)}`)
    const result = work()
    this.#depth -= 1
    return result
  }

  #call(offset: number, name: string, args: Expr[], target?: Expr): Expr {
    this.#nodes += 1
    if (this.#nodes > maxNodes) throw new SyntaxIssue(offset, `expression has more than ${String(maxNodes)} operations`)
    return { kind: 'call', offset, name, target, args }
  }

  #binary(level: number): Expr {
    const operators = levels[level]
    if (operators === undefined) return this.#unary()
    let left = this.#binary(level + 1)
    const logical = level < 2 ? [left] : undefined
    const offsets: number[] = []
    for (let length = 0; ; length += 1) {
      const operator = operators.find((text) => this.#is(text))
      if (operator === undefined) break
      if (length > maxChain && logical === undefined) this.#tooLong()
      const { offset } = this.#next()
      const right = this.#binary(level + 1)
      if (logical === undefined) left = this.#call(offset, operator === 'in' ? '@in' : `_${operator}_`, [left, right])
      else {
        logical.push(right)
        offsets.push(offset)
      }
    }
    return logical === undefined ? left : this.#balanced(`_${operators[0] ?? ''}_`, logical, offsets)
  }

  /** Long chains of && and || become shallow trees; the operators are associative. */
  #balanced(name: string, operands: readonly Expr[], offsets: readonly number[]): Expr {
    const [first] = operands
    if (first !== undefined && operands.length === 1) return first
    const middle = Math.ceil(operands.length / 2)
    const left = this.#balanced(name, operands.slice(0, middle), offsets.slice(0, middle - 1))
    const right = this.#balanced(name, operands.slice(middle), offsets.slice(middle))
    return this.#call(offsets[middle - 1] ?? 0, name, [left, right])
  }

  #tooLong(): never {
    throw new SyntaxIssue(this.#token.offset, `more than ${String(maxChain)} operations in a row`)
  }

  #unary(): Expr {
    const { offset } = this.#token
    if (this.#take('!')) return this.#nested(() => this.#call(offset, '!_', [this.#unary()]))
    if (this.#is('-')) {
      this.#next()
      const { value, type } = this.#token
      if (type === 'literal' && (typeof value === 'number' || typeof value === 'bigint')) {
        this.#next()
        return this.#member({ kind: 'literal', offset, value: -value })
      }
      return this.#nested(() => this.#call(offset, '-_', [this.#unary()]))
    }
    return this.#member(this.#primary())
  }

  #member(start: Expr): Expr {
    let operand = start
    for (let length = 0; ; length += 1) {
      const { offset } = this.#token
      if (length > maxChain) this.#tooLong()
      if (this.#take('.')) operand = this.#select(operand, offset)
      else if (this.#take('[')) {
        const optional = this.#take('?')
        const index = this.expression()
        this.#expect(']')
        operand = this.#call(offset, optional ? '_[?_]' : '_[_]', [operand, index])
      } else return operand
    }
  }

  #select(operand: Expr, offset: number): Expr {
    const optional = this.#take('?')
    const { type, text: field } = this.#token
    if (type !== 'name' && type !== 'quoted-name') this.#unexpected('IDENTIFIER')
    this.#next()
    if (!optional && type === 'name' && this.#is('(')) {
      const at = this.#next().offset
      const args = this.#arguments()
      if (operand.kind === 'ident' && namespaces.has(operand.name)) {
        const full = `${operand.name}.${field}`
        if (namespaced.has(full) || (operand.name === 'format' && formatNames.test(field)))
          return this.#call(at, full, args)
      }
      return expandMacro(field, operand, args, offset) ?? this.#call(at, field, args, operand)
    }
    if (this.#is('{') && type === 'name') {
      const qualified = qualifiedName({ kind: 'select', offset, operand, field, optional: false, test: false })
      if (qualified !== undefined) return this.#struct(qualified, offset)
    }
    return { kind: 'select', offset, operand, field, optional, test: false }
  }

  #arguments(): Expr[] {
    const args: Expr[] = []
    while (!this.#take(')')) {
      args.push(this.expression())
      if (!this.#is(')')) this.#expect(',')
    }
    return args
  }

  #primary(): Expr {
    this.#take('.')
    const token = this.#token
    const { offset, type, text, value } = token
    if (type === 'literal' && value !== undefined) {
      this.#next()
      if (value === 2n ** 63n) throw new SyntaxIssue(offset, 'invalid int literal')
      return { kind: 'literal', offset, value }
    }
    if (type === 'name') return this.#named(token)
    if (type === 'symbol' && text === '(') {
      this.#next()
      const inner = this.expression()
      this.#expect(')')
      return inner
    }
    if (type === 'symbol' && text === '[') return this.#list()
    if (type === 'symbol' && text === '{') return this.#map()
    return this.#unexpected(
      `{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}`,
    )
  }

  #named({ text, offset }: Token): Expr {
    this.#next()
    if (text === 'true' || text === 'false') return { kind: 'literal', offset, value: text === 'true' }
    if (text === 'null') return { kind: 'literal', offset, value: null }
    if (reserved.has(text)) throw new SyntaxIssue(offset, `reserved identifier: ${text}`)
    if (this.#is('(')) {
      const at = this.#next().offset
      const args = this.#arguments()
      return expandMacro(text, undefined, args, at) ?? this.#call(at, text, args)
    }
    if (this.#is('{')) return this.#struct(text, offset)
    return { kind: 'ident', offset, name: text }
  }

  #list(): Expr {
    const { offset } = this.#next()
    const items: { value: Expr; optional: boolean }[] = []
    while (!this.#take(']')) {
      const optional = this.#take('?')
      items.push({ value: this.expression(), optional })
      if (!this.#is(']')) this.#expect(',')
    }
    return { kind: 'list', offset, items }
  }

  #map(): Expr {
    const { offset } = this.#next()
    const entries: MapEntry[] = []
    while (!this.#take('}')) {
      const optional = this.#take('?')
      const key = this.expression()
      this.#expect(':')
      entries.push({ key, value: this.expression(), optional })
      if (!this.#is('}')) this.#expect(',')
    }
    return { kind: 'map', offset, entries }
  }

  #struct(type: string, offset: number): Expr {
    this.#expect('{')
    const fields: StructField[] = []
    while (!this.#take('}')) {
      const optional = this.#take('?')
      const { type: tokenType, text: name, offset: at } = this.#next()
      if (tokenType !== 'name' && tokenType !== 'quoted-name')
        throw new SyntaxIssue(at, `mismatched input '${name}' expecting IDENTIFIER`)
      this.#expect(':')
      fields.push({ name, value: this.expression(), optional, offset: at })
      if (!this.#is('}')) this.#expect(',')
    }
    return { kind: 'struct', offset, type, fields }
  }
}

const levels: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['==', '!=', '<=', '>=', '<', '>', 'in'],
  ['+', '-'],
  ['*', '/', '%'],
]

/** "a.b.c" when the expression is nothing but names. */
export function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name
  if (expr.kind !== 'select' || expr.test || expr.optional) return undefined
  const operand = qualifiedName(expr.operand)
  return operand === undefined ? undefined : `${operand}.${expr.field}`
}
