// What is wrong with a text that is not JSON, in the words of Go's decoder, which clients and people know.

class Problem extends Error {}

/** Only for texts that JSON.parse refuses, nested no deeper than the stack allows. */
export function jsonProblem(text: string): string {
  try {
    const scanner = new Scanner(text)
    scanner.value()
    scanner.end()
  } catch (error) {
    if (error instanceof Problem) return error.message
    throw error
  }
  return 'unexpected end of JSON input'
}

const hexDigit = /[0-9a-fA-F]/
const digit = /[0-9]/

class Scanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(): void {
    this.#skipSpace()
    const character = this.#peek()
    if (character === '{') this.#object()
    else if (character === '[') this.#array()
    else if (character === '"') this.#string()
    else if (character === '-' || digit.test(character)) this.#number()
    else if (character === 't') this.#literal('true')
    else if (character === 'f') this.#literal('false')
    else if (character === 'n') this.#literal('null')
    else this.#refuse('looking for beginning of value')
  }

  end(): void {
    this.#skipSpace()
    if (this.#at < this.#text.length) this.#refuse('after top-level value')
  }

  #object(): void {
    this.#at += 1
    this.#skipSpace()
    if (this.#peek() === '}') {
      this.#at += 1
      return
    }
    for (;;) {
      this.#skipSpace()
      if (this.#peek() !== '"') this.#refuse('looking for beginning of object key string')
      this.#string()
      this.#skipSpace()
      if (this.#peek() !== ':') this.#refuse('after object key')
      this.#at += 1
      this.value()
      this.#skipSpace()
      const next = this.#peek()
      if (next !== ',' && next !== '}') this.#refuse('after object key:value pair')
      this.#at += 1
      if (next === '}') return
    }
  }

  #array(): void {
    this.#at += 1
    this.#skipSpace()
    if (this.#peek() === ']') {
      this.#at += 1
      return
    }
    for (;;) {
      this.value()
      this.#skipSpace()
      const next = this.#peek()
      if (next !== ',' && next !== ']') this.#refuse('after array element')
      this.#at += 1
      if (next === ']') return
    }
  }

  #string(): void {
    this.#at += 1
    for (;;) {
      const character = this.#peek()
      if (character < ' ') this.#refuse('in string literal')
      this.#at += 1
      if (character === '"') return
      if (character === '\\') this.#escape()
    }
  }

  #escape(): void {
    const character = this.#peek()
    if (!'"\\/bfnrtu'.includes(character)) this.#refuse('in string escape code')
    this.#at += 1
    if (character !== 'u') return
    for (let count = 0; count < 4; count += 1) {
      if (!hexDigit.test(this.#peek())) this.#refuse('in \\u hexadecimal character escape')
      this.#at += 1
    }
  }

  #number(): void {
    if (this.#text[this.#at] === '-') this.#at += 1
    if (this.#text[this.#at] === '0') this.#at += 1
    else this.#digits('in numeric literal')
    if (this.#text[this.#at] === '.') {
      this.#at += 1
      this.#digits('after decimal point in numeric literal')
    }
    if (this.#text[this.#at] === 'e' || this.#text[this.#at] === 'E') {
      this.#at += 1
      if (this.#text[this.#at] === '+' || this.#text[this.#at] === '-') this.#at += 1
      this.#digits('in exponent of numeric literal')
    }
  }

  #digits(where: string): void {
    if (!digit.test(this.#peek())) this.#refuse(where)
    while (digit.test(this.#text[this.#at] ?? '')) this.#at += 1
  }

  #literal(word: string): void {
    for (const expected of word) {
      if (this.#peek() !== expected) {
        this.#refuse(this.#at === 0 ? 'looking for beginning of value' : `in literal ${word} (expecting '${expected}')`)
      }
      this.#at += 1
    }
  }

  #skipSpace(): void {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? 'x')) this.#at += 1
  }

  #peek(): string {
    const character = this.#text[this.#at]
    if (character === undefined) throw new Problem('unexpected end of JSON input')
    return character
  }

  #refuse(where: string): never {
    throw new Problem(`invalid character ${quoted(this.#text.codePointAt(this.#at) ?? 0)} ${where}`)
  }
}

/** As Go quotes a character. */
function quoted(code: number): string {
  const named: Record<number, string> = { 10: '\\n', 13: '\\r', 9: '\\t', 39: "\\'", 92: '\\\\' }
  const text = named[code] ?? (code < 0x20 ? `\\x${code.toString(16).padStart(2, '0')}` : String.fromCodePoint(code))
  return `'${text}'`
}
