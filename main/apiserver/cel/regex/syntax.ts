// RE2 patterns (https://github.com/google/re2/wiki/Syntax) to a tree. No look-around, no back-references: that is what keeps
// matching linear.

/** Inclusive ranges of code points, in pairs. */
export type Ranges = readonly number[]

export type Node =
  | { kind: 'empty' }
  | { kind: 'set'; ranges: Ranges }
  | { kind: 'assert'; what: 'lineStart' | 'lineEnd' | 'textStart' | 'textEnd' | 'boundary' | 'noBoundary' }
  | { kind: 'concat'; parts: readonly Node[] }
  | { kind: 'alternate'; choices: readonly Node[] }
  | { kind: 'repeat'; node: Node; min: number; max: number; greedy: boolean }

export class RegexError extends Error {
  constructor(what: string, where: string) {
    super(`error parsing regexp: ${what}: \`${where}\``)
  }
}

const maxCode = 0x10ffff
const maxRepeat = 1000
const maxDepth = 250

interface Flags {
  readonly ignoreCase: boolean
  readonly multiLine: boolean
  readonly dotAll: boolean
  readonly ungreedy: boolean
}

export function parseRegex(pattern: string): Node {
  const parser = new Parser(pattern)
  const node = parser.alternation({ ignoreCase: false, multiLine: false, dotAll: false, ungreedy: false })
  parser.end()
  return node
}

class Parser {
  readonly #text: readonly string[]
  readonly #pattern: string
  #at = 0
  #depth = 0

  constructor(pattern: string) {
    this.#pattern = pattern
    this.#text = Array.from(pattern)
  }

  end(): void {
    if (this.#at < this.#text.length) throw new RegexError('unexpected )', this.#pattern)
  }

  alternation(given: Flags): Node {
    this.#depth += 1
    if (this.#depth > maxDepth) throw new RegexError('expression nests too deeply', this.#pattern)
    let flags = given
    const choices: Node[] = []
    let parts: Node[] = []
    for (;;) {
      const next = this.#peek()
      if (next === undefined || next === ')') break
      if (next === '|') {
        this.#at += 1
        choices.push(concat(parts))
        parts = []
        continue
      }
      const changed = this.#flagGroup(flags)
      if (changed !== undefined) flags = changed
      else parts.push(this.#repeated(flags))
    }
    this.#depth -= 1
    choices.push(concat(parts))
    const [only] = choices
    return choices.length === 1 && only !== undefined ? only : { kind: 'alternate', choices }
  }

  #peek(): string | undefined {
    return this.#text[this.#at]
  }

  #rest(length: number): string {
    return this.#text.slice(this.#at, this.#at + length).join('')
  }

  /** "(?i)" without a colon: flags for the rest of the group. */
  #flagGroup(flags: Flags): Flags | undefined {
    const match = /^\(\?([imsU]*)(?:-([imsU]+))?\)/.exec(this.#rest(16))
    if (match === null || match[0] === '(?)') return undefined
    this.#at += match[0].length
    return withFlags(flags, match[1] ?? '', match[2] ?? '')
  }

  #repeated(flags: Flags): Node {
    let node = this.#atom(flags)
    for (let times = 0; ; times += 1) {
      const start = this.#at
      const bounds = this.#bounds()
      if (bounds === undefined) return node
      const lazy = this.#peek() === '?'
      if (lazy) this.#at += 1
      if (times > 0)
        throw new RegexError('invalid nested repetition operator', this.#text.slice(start - 1, this.#at).join(''))
      node = { kind: 'repeat', node, min: bounds.min, max: bounds.max, greedy: lazy === flags.ungreedy }
    }
  }

  #bounds(): { min: number; max: number } | undefined {
    const next = this.#peek()
    const simple = { '*': { min: 0, max: Infinity }, '+': { min: 1, max: Infinity }, '?': { min: 0, max: 1 } }
    if (next === '*' || next === '+' || next === '?') {
      this.#at += 1
      return simple[next]
    }
    if (next !== '{') return undefined
    const match = /^\{(\d+)(,?)(\d*)\}/.exec(this.#rest(24))
    if (match === null) return undefined
    const min = Number(match[1])
    const max = match[2] === '' ? min : match[3] === '' ? Infinity : Number(match[3])
    if (min > maxRepeat || (max !== Infinity && (max > maxRepeat || max < min)))
      throw new RegexError('invalid repeat count', match[0])
    this.#at += match[0].length
    return { min, max }
  }

  #atom(flags: Flags): Node {
    const character = this.#text[this.#at] ?? ''
    switch (character) {
      case '(':
        return this.#group(flags)
      case '[':
        return { kind: 'set', ranges: this.#class(flags) }
      case '.':
        this.#at += 1
        return { kind: 'set', ranges: flags.dotAll ? [0, maxCode] : [0, 9, 11, maxCode] }
      case '^':
        this.#at += 1
        return { kind: 'assert', what: flags.multiLine ? 'lineStart' : 'textStart' }
      case '$':
        this.#at += 1
        return { kind: 'assert', what: flags.multiLine ? 'lineEnd' : 'textEnd' }
      case '*':
      case '+':
      case '?':
        throw new RegexError('missing argument to repetition operator', character)
      case '\\':
        return this.#escaped(flags)
      default:
        this.#at += 1
        return literal(character.codePointAt(0) ?? 0, flags)
    }
  }

  #group(flags: Flags): Node {
    this.#at += 1
    let inner = flags
    if (this.#peek() === '?') {
      const match = /^\?(?:P?<([A-Za-z0-9_]+)>|([imsU]*)(?:-([imsU]+))?:)/.exec(this.#rest(256))
      if (match === null) {
        const where = this.#text.slice(this.#at - 1, this.#at + 3).join('')
        throw new RegexError('invalid or unsupported Perl syntax', where)
      }
      this.#at += match[0].length
      inner = withFlags(flags, match[2] ?? '', match[3] ?? '')
    }
    const node = this.alternation(inner)
    if (this.#peek() !== ')') throw new RegexError('missing closing )', this.#pattern)
    this.#at += 1
    return node
  }

  #escaped(flags: Flags): Node {
    const letter = this.#text[this.#at + 1]
    const asserts = { A: 'textStart', z: 'textEnd', b: 'boundary', B: 'noBoundary' } as const
    if (letter === 'A' || letter === 'z' || letter === 'b' || letter === 'B') {
      this.#at += 2
      return { kind: 'assert', what: asserts[letter] }
    }
    if (letter === 'Q') {
      const start = this.#at + 2
      const rest = this.#text.slice(start).join('')
      const stop = rest.indexOf('\\E')
      const quoted = Array.from(stop === -1 ? rest : rest.slice(0, stop))
      this.#at = start + quoted.length + (stop === -1 ? 0 : 2)
      return concat(quoted.map((one) => literal(one.codePointAt(0) ?? 0, flags)))
    }
    const ranges = this.#escapedClass()
    return ranges === undefined ? literal(this.#escapedCode(), flags) : { kind: 'set', ranges }
  }

  /** \d \w \s and \p{…}, at the backslash; undefined when it is something else. */
  #escapedClass(): Ranges | undefined {
    const letter = this.#text[this.#at + 1] ?? ''
    const known = perlClasses[letter.toLowerCase()]
    if (known !== undefined) {
      this.#at += 2
      return letter === letter.toLowerCase() ? known : negate(known)
    }
    if (letter !== 'p' && letter !== 'P') return undefined
    const match = /^\\[pP](?:\{(\^?)(\w+)\}|(\w))/.exec(this.#rest(48))
    const name = match?.[2] ?? match?.[3]
    const found = name === undefined ? undefined : unicodeRanges(name)
    if (match === null || found === undefined)
      throw new RegexError('invalid character class range', match?.[0] ?? this.#rest(3))
    this.#at += match[0].length
    return (letter === 'P') !== (match[1] === '^') ? negate(found) : found
  }

  #escapedCode(): number {
    const match = /^\\(?:x([0-9a-fA-F]{2})|x\{([0-9a-fA-F]{1,6})\}|([0-7]{1,3})|([aftnrv])|([^A-Za-z0-9]))/u.exec(
      this.#rest(12),
    )
    if (match === null) {
      if (this.#at + 1 >= this.#text.length) throw new RegexError('trailing backslash at end of expression', '')
      throw new RegexError('invalid escape sequence', this.#rest(2))
    }
    const [whole, short, long, octal, control, punctuation] = match
    if (octal !== undefined && !octal.startsWith('0')) throw new RegexError('invalid escape sequence', this.#rest(2))
    this.#at += Array.from(whole).length
    if (control !== undefined) return { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 }[control] ?? 0
    if (punctuation !== undefined) return punctuation.codePointAt(0) ?? 0
    return octal !== undefined ? parseInt(octal, 8) : parseInt(short ?? long ?? '', 16)
  }

  #class(flags: Flags): Ranges {
    const start = this.#at
    this.#at += 1
    const negated = this.#peek() === '^'
    if (negated) this.#at += 1
    const ranges: number[] = []
    for (let first = true; ; first = false) {
      const next = this.#peek()
      if (next === undefined) throw new RegexError('missing closing ]', this.#text.slice(start).join(''))
      if (next === ']' && !first) break
      const posix = /^\[:(\^?)(\w+):\]/.exec(this.#rest(16))
      if (posix !== null) {
        const found = posixClasses[posix[2] ?? '']
        if (found === undefined) throw new RegexError('invalid character class range', posix[0])
        this.#at += posix[0].length
        ranges.push(...(posix[1] === '^' ? negate(found) : found))
        continue
      }
      const escaped = next === '\\' ? this.#escapedClass() : undefined
      if (escaped !== undefined) {
        ranges.push(...escaped)
        continue
      }
      const from = this.#classCode()
      let to = from
      if (this.#peek() === '-' && this.#text[this.#at + 1] !== undefined && this.#text[this.#at + 1] !== ']') {
        this.#at += 1
        to = this.#classCode()
        if (to < from)
          throw new RegexError(
            'invalid character class range',
            `${String.fromCodePoint(from)}-${String.fromCodePoint(to)}`,
          )
      }
      ranges.push(from, to)
    }
    this.#at += 1
    const folded = flags.ignoreCase ? foldCase(ranges) : ranges
    return negated ? negate(folded) : folded
  }

  #classCode(): number {
    if (this.#peek() === '\\') return this.#escapedCode()
    const code = this.#text[this.#at]?.codePointAt(0) ?? 0
    this.#at += 1
    return code
  }
}

const concat = (parts: Node[]): Node => {
  const [only] = parts
  if (only === undefined) return { kind: 'empty' }
  return parts.length === 1 ? only : { kind: 'concat', parts }
}

const literal = (code: number, flags: Flags): Node => ({
  kind: 'set',
  ranges: flags.ignoreCase ? foldCase([code, code]) : [code, code],
})

function withFlags(flags: Flags, on: string, off: string): Flags {
  const decide = (letter: string, old: boolean): boolean => (off.includes(letter) ? false : on.includes(letter) || old)
  return {
    ignoreCase: decide('i', flags.ignoreCase),
    multiLine: decide('m', flags.multiLine),
    dotAll: decide('s', flags.dotAll),
    ungreedy: decide('U', flags.ungreedy),
  }
}

const perlClasses: Readonly<Record<string, Ranges>> = {
  d: [48, 57],
  w: [48, 57, 65, 90, 95, 95, 97, 122],
  s: [9, 10, 12, 13, 32, 32],
}

const posixClasses: Readonly<Record<string, Ranges>> = {
  alnum: [48, 57, 65, 90, 97, 122],
  alpha: [65, 90, 97, 122],
  ascii: [0, 127],
  blank: [9, 9, 32, 32],
  cntrl: [0, 31, 127, 127],
  digit: [48, 57],
  graph: [33, 126],
  lower: [97, 122],
  print: [32, 126],
  punct: [33, 47, 58, 64, 91, 96, 123, 126],
  space: [9, 13, 32, 32],
  upper: [65, 90],
  word: [48, 57, 65, 90, 95, 95, 97, 122],
  xdigit: [48, 57, 65, 70, 97, 102],
}

function negate(ranges: Ranges): Ranges {
  const pairs: [number, number][] = []
  for (let index = 0; index < ranges.length; index += 2) pairs.push([ranges[index] ?? 0, ranges[index + 1] ?? 0])
  pairs.sort(([a], [b]) => a - b)
  const result: number[] = []
  let next = 0
  for (const [from, to] of pairs) {
    if (from > next) result.push(next, from - 1)
    next = Math.max(next, to + 1)
  }
  if (next <= maxCode) result.push(next, maxCode)
  return result
}

/** Case variants are added for ranges of a size a person writes; larger ones hold both cases already. */
function foldCase(ranges: Ranges): Ranges {
  const result = [...ranges]
  for (let index = 0; index < ranges.length; index += 2) {
    const from = ranges[index] ?? 0
    const to = ranges[index + 1] ?? 0
    if (to - from > 2000) continue
    for (let code = from; code <= to; code += 1) {
      const text = String.fromCodePoint(code)
      for (const variant of [text.toLowerCase(), text.toUpperCase()]) {
        const other = variant.codePointAt(0) ?? code
        if (other !== code && String.fromCodePoint(other) === variant) result.push(other, other)
      }
    }
  }
  return result
}

const unicodeCache = new Map<string, Ranges | undefined>()

function unicodeRanges(name: string): Ranges | undefined {
  if (!unicodeCache.has(name)) unicodeCache.set(name, computeUnicode(name))
  return unicodeCache.get(name)
}

function computeUnicode(name: string): Ranges | undefined {
  if (name === 'Any') return [0, maxCode]
  let test: RegExp | undefined
  for (const form of [`\\p{${name}}`, `\\p{Script=${name}}`]) {
    try {
      test ??= new RegExp(`^${form}$`, 'u')
    } catch {
      // Not a name of that sort.
    }
  }
  if (test === undefined) return undefined
  const ranges: number[] = []
  for (let code = 0; code <= maxCode; code += 1) {
    if (!test.test(String.fromCodePoint(code))) continue
    if (ranges.at(-1) === code - 1) ranges[ranges.length - 1] = code
    else ranges.push(code, code)
  }
  return ranges
}
