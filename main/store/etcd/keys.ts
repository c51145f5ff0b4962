// The store's keys inside etcd: all under one prefix, so that one etcd can serve several control planes.
import type { KeyRange } from './messages.ts'

export class EtcdKeys {
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  of(key: string): Buffer {
    return Buffer.from(this.#prefix + key)
  }

  /** The store's key of one in etcd. */
  from(key: string): string {
    return key.slice(this.#prefix.length)
  }

  /** Everything that starts with a text, optionally only after a key of it. etcd orders by bytes. */
  range(start: string, after?: string): Required<KeyRange> {
    const whole = this.#prefix + start
    // A byte of 0 as key or end means the first and last key there can be.
    const first = whole === '' ? zero : Buffer.from(whole)
    const key = after === undefined ? first : Buffer.concat([this.of(after), zero])
    return { key, rangeEnd: whole === '' ? zero : endOf(Buffer.from(whole)) }
  }
}

const zero = Buffer.alloc(1)

/** The smallest byte string greater than all that start with `prefix`. UTF-8 has no byte 0xff. */
function endOf(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix)
  end.writeUInt8(end.readUInt8(end.length - 1) + 1, end.length - 1)
  return end
}
