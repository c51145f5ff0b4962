// CEL text to tokens.
import { type Literal, Uint } from './ast.ts'
import { SyntaxIssue } from './issue.ts'

export interface Token {
  readonly type: 'end' | 'name' | 'quoted-name' | 'literal' | 'symbol'
  readonly text: string
  readonly offset: number
  readonly value?: Literal
}

const symbol = /==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()[\]{}]/y
const space = /(?:[ \t\r\n\f]|\/\/[^\n]*)*/y
const name = /[A-Za-z_]\w*/y
const quotedName = /`([A-Za-z0-9_.\-/ ]+)`/y
const number =
  /0[xX]([0-9a-fA-F]+)([uU])?|(\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)|(\d+)([uU])?/y
const stringStart = /([rRbB]{0,2})("""|'''|"|')/y

const maxInt = 2n ** 63n
const maxUint = 2n ** 64n

export function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  let offset = 0
  const match = (form: RegExp): RegExpExecArray | null => {
    form.lastIndex = offset
    const found = form.exec(source)
    if (found !== null) offset = form.lastIndex
    return found
  }
  for (;;) {
    match(space)
    const start = offset
    if (start >= source.length) {
      tokens.push({ type: 'end', text: '<EOF>', offset: start })
      return tokens
    }
    const string = match(stringStart)
    if (string !== null) {
      const { value, end } = readString(source, start, offset, string[1] ?? '', string[2] ?? '"')
      offset = end
      tokens.push({ type: 'literal', text: source.slice(start, end), offset: start, value })
      continue
    }
    const digits = match(number)
    if (digits !== null) {
      tokens.push({ type: 'literal', text: digits[0], offset: start, value: readNumber(digits, start) })
      continue
    }
    const word = match(name)
    if (word !== null) {
      tokens.push({ type: 'name', text: word[0], offset: start })
      continue
    }
    const quoted = match(quotedName)
    if (quoted !== null) {
      tokens.push({ type: 'quoted-name', text: quoted[1] ?? '', offset: start })
      continue
    }
    const sign = match(symbol)
    if (sign === null)
      throw new SyntaxIssue(
        start,
        `token recognition error at: '${String.fromCodePoint(source.codePointAt(start) ?? 0)}'`,
      )
    tokens.push({ type: 'symbol', text: sign[0], offset: start })
  }
}

function readNumber([, hex, hexUnsigned, double, decimal, unsigned]: RegExpExecArray, offset: number): Literal {
  if (double !== undefined) return Number(double)
  const value = hex !== undefined ? BigInt(`0x${hex}`) : BigInt(decimal ?? '0')
  if ((hex !== undefined ? hexUnsigned : unsigned) !== undefined) {
    if (value >= maxUint) throw new SyntaxIssue(offset, 'invalid uint literal')
    return new Uint(value)
  }
  // One past the largest: only a minus before it makes it valid, which the parser checks.
  if (value > maxInt) throw new SyntaxIssue(offset, 'invalid int literal')
  return value
}

const escapes: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '?': '?',
  '"': '"',
  "'": "'",
  '`': '`',
}

function readString(
  source: string,
  start: number,
  from: number,
  prefix: string,
  quote: string,
): { value: Literal; end: number } {
  const raw = /r/i.test(prefix)
  const isBytes = /b/i.test(prefix)
  const bytes: number[] = []
  let text = ''
  const add = (piece: string): void => {
    if (isBytes) bytes.push(...new TextEncoder().encode(piece))
    else text += piece
  }
  let at = from
  for (;;) {
    if (at >= source.length || (quote.length === 1 && source[at] === '\n'))
      throw new SyntaxIssue(start, `token recognition error at: '${source.slice(start)}'`)
    if (source.startsWith(quote, at)) break
    const character = source[at] ?? ''
    if (character !== '\\' || raw) {
      const whole = String.fromCodePoint(source.codePointAt(at) ?? 0)
      add(whole)
      at += whole.length
      continue
    }
    const next = source[at + 1] ?? ''
    const simple = escapes[next]
    if (simple !== undefined) {
      add(simple)
      at += 2
      continue
    }
    const coded = /^(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/.exec(
      source.slice(at + 1, at + 10),
    )
    const [whole = '', byte, short, long, octal] = coded ?? []
    const code = octal !== undefined ? parseInt(octal, 8) : parseInt(byte ?? short ?? long ?? '', 16)
    if (coded === null || code > 0x10ffff || (isBytes && (short ?? long) !== undefined))
      throw new SyntaxIssue(at, 'invalid escape sequence')
    if (isBytes) bytes.push(code)
    else text += String.fromCodePoint(code)
    at += 1 + whole.length
  }
  return { value: isBytes ? Uint8Array.from(bytes) : text, end: at + quote.length }
}
