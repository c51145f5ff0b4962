// Request bodies in application/cbor to the JSON form of the same object, as apimachinery reads them: byte strings are text, "later
// encoding" tags say which text stands for bytes, tagged times are RFC 3339, and what JSON cannot say is refused.
import { isUtf8 } from 'node:buffer'
import { decode, type DecodeOptions, Token, Tokenizer, Type } from 'cborg'
import { badRequest } from '../../../common/machinery/status.ts'

/** Upstream's; deeper nesting is no Kubernetes object. */
const maxDepth = 64
const minInt64 = -(2n ** 63n)
const maxInt64 = 2n ** 63n - 1n
const indefiniteBytes = 0x5f
const indefiniteText = 0x7f

const options: DecodeOptions = {
  allowBigInt: true,
  allowUndefined: false,
  allowNaN: false,
  allowInfinity: false,
  rejectDuplicateMapKeys: true,
  retainStringBytes: true,
}

/** Throws StatusError 400 for anything that is not one whole item. */
export function decodeCbor(bytes: Uint8Array): unknown {
  try {
    return decode(bytes, { ...options, tokenizer: new PlainTokens(bytes, options) })
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CBOR decode error: /, '') : String(error)
    throw badRequest(`unable to determine group/version/kind: cbor: ${why}`)
  }
}

/** An array or map that is being read. */
interface Open {
  /** Items still to come; Infinity until a break. */
  left: number
  /** Of a map, that a value is due. */
  valueDue: boolean
  readonly isMap: boolean
}

/** Tokens that JSON has: no tags, no byte strings, no parts of strings, and not too many inside each other. */
class PlainTokens extends Tokenizer {
  readonly #open: Open[] = []

  override next(): Token {
    const token = this.#plain()
    if (Type.equals(token.type, Type.break)) this.#close()
    else if (Type.equals(token.type, Type.array) && token.value !== 0) this.#enter(token.value as number, false)
    else if (Type.equals(token.type, Type.map) && token.value !== 0) this.#enter(2 * (token.value as number), true)
    else this.#complete()
    return token
  }

  #plain(): Token {
    let token = this.#item()
    while (Type.equals(token.type, Type.tag)) token = this.#tagged(token.value as number)
    return Type.equals(token.type, Type.bytes) ? text(Buffer.from(token.value as Uint8Array).toString('utf8')) : token
  }

  /** What follows a tag: another tag, or an item in the form that the tag asks for. */
  #tagged(tag: number): Token {
    const content = this.#item()
    switch (tag) {
      case 0:
        return rfc3339(content)
      case 1:
        return timeSinceEpoch(content)
      case 2:
      case 3:
        throw new Error('bignum tags are not supported')
      case 21:
        return laterEncoded(content, 'base64url')
      case 22:
        return laterEncoded(content, 'base64')
      case 23:
        return laterEncoded(content, 'hex')
      default:
        return content
    }
  }

  #item(): Token {
    if (this.done()) throw new Error('unexpected EOF')
    const head = this.data[this._pos]
    if (head === indefiniteBytes || head === indefiniteText) return this.#joined(head)
    const token = super.next()
    if (typeof token.value === 'bigint') {
      if (token.value < minInt64 || token.value > maxInt64) throw new Error(`${String(token.value)} overflows int64`)
      return new Token(token.type, Number(token.value))
    }
    if (Type.equals(token.type, Type.string) && !isUtf8(bytesOf(token))) throw new Error('invalid UTF-8 string')
    return token
  }

  /** A string in parts. */
  #joined(head: number): Token {
    this._pos += 1
    const type = head === indefiniteText ? Type.string : Type.bytes
    const parts: Uint8Array[] = []
    for (;;) {
      const part = this.data[this._pos] === head ? undefined : this.#item()
      if (part !== undefined && Type.equals(part.type, Type.break)) break
      if (part === undefined || !Type.equals(part.type, type))
        throw new Error('wrong element type in a string of parts')
      parts.push(bytesOf(part))
    }
    const whole = Buffer.concat(parts)
    return type === Type.string ? text(whole.toString('utf8')) : new Token(Type.bytes, whole)
  }

  #enter(left: number, isMap: boolean): void {
    this.#open.push({ left, isMap, valueDue: false })
    if (this.#open.length > maxDepth) throw new Error(`exceeded max nested level ${String(maxDepth)}`)
  }

  #close(): void {
    const top = this.#open.pop()
    if (top?.left !== Infinity || top.valueDue) throw new Error('unexpected "break" code')
    this.#complete()
  }

  /** An item is whole; with the last one of an array or map so is that. */
  #complete(): void {
    for (let top = this.#open.at(-1); top !== undefined; top = this.#open.at(-1)) {
      top.left -= 1
      if (top.isMap) top.valueDue = !top.valueDue
      if (top.left > 0) return
      this.#open.pop()
    }
  }
}

const text = (value: string): Token => new Token(Type.string, value)

/** Of a string of either kind. */
const bytesOf = (token: Token): Uint8Array =>
  Type.equals(token.type, Type.string)
    ? (token.byteValue ?? Buffer.from(token.value as string))
    : (token.value as Uint8Array)

const isString = ({ type }: Token): boolean => Type.equals(type, Type.string) || Type.equals(type, Type.bytes)

function laterEncoded(content: Token, encoding: 'base64' | 'base64url' | 'hex'): Token {
  return Type.equals(content.type, Type.bytes)
    ? text(Buffer.from(content.value as Uint8Array).toString(encoding))
    : content
}

function rfc3339(content: Token): Token {
  const value = isString(content) ? Buffer.from(bytesOf(content)).toString('utf8') : ''
  if (!/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d/.test(value) || Number.isNaN(Date.parse(value)))
    throw new Error('cannot set tag 0 content as time: it is not an RFC 3339 text')
  return text(value)
}

function timeSinceEpoch(content: Token): Token {
  const date = new Date(typeof content.value === 'number' ? content.value * 1000 : Number.NaN)
  if (Number.isNaN(date.getTime())) throw new Error('tag 1 content is not a time')
  return text(date.toISOString().replace(/\.?0*Z$/, 'Z'))
}
