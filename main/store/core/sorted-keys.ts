// An ordered set of keys that stays fast at hundreds of thousands of them: sorted chunks of a few hundred strings,
// so that an insertion moves one small array and a prefix is a contiguous run.
// Order is JavaScript's own string order (UTF-16 code units), the same in every implementation of the store.

const chunkLimit = 512

interface Position {
  chunk: number
  index: number
}

/** The smallest string greater than every string starting with `prefix`; undefined when there is none. */
export function prefixEnd(prefix: string): string | undefined {
  for (let length = prefix.length; length > 0; length -= 1) {
    const unit = prefix.charCodeAt(length - 1)
    if (unit < 0xffff) return prefix.slice(0, length - 1) + String.fromCharCode(unit + 1)
  }
  return undefined
}

/** Index of the first key that is >= `bound`. */
function lowerBound(keys: readonly string[], bound: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] as string) < bound) low = middle + 1
    else high = middle
  }
  return low
}

export class SortedKeys {
  #chunks: string[][] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Adds a key that is not yet in the set. */
  add(key: string): void {
    this.#size += 1
    if (this.#chunks.length === 0) {
      this.#chunks.push([key])
      return
    }
    const at = this.#seek(key)
    // A key beyond the last chunk goes to its end rather than into a chunk of its own.
    if (at.chunk === this.#chunks.length) {
      at.chunk -= 1
      at.index = this.#chunk(at.chunk).length
    }
    const chunk = this.#chunk(at.chunk)
    chunk.splice(at.index, 0, key)
    if (chunk.length <= chunkLimit) return
    // Ascending insertions are the common case (loading, generated names): a full last chunk is left nearly full.
    const appended = at.chunk === this.#chunks.length - 1 && at.index === chunk.length - 1
    this.#chunks.splice(at.chunk + 1, 0, chunk.splice(appended ? chunkLimit : chunkLimit / 2))
  }

  delete(key: string): void {
    const at = this.#seek(key)
    const chunk = this.#chunks[at.chunk]
    if (chunk === undefined || chunk[at.index] !== key) return
    chunk.splice(at.index, 1)
    this.#size -= 1
    if (chunk.length === 0) this.#chunks.splice(at.chunk, 1)
  }

  /** Number of keys k with from <= k < to. */
  countBetween(from: string, to: string | undefined): number {
    const start = this.#seek(from)
    const end = to === undefined ? { chunk: this.#chunks.length, index: 0 } : this.#seek(to)
    if (start.chunk === end.chunk) return Math.max(0, end.index - start.index)
    if (start.chunk > end.chunk) return 0
    let count = this.#chunk(start.chunk).length - start.index + end.index
    for (let chunk = start.chunk + 1; chunk < end.chunk; chunk += 1) count += this.#chunk(chunk).length
    return count
  }

  /** Keys k with from <= k < to, in order, at most `limit`. */
  between(from: string, to: string | undefined, limit = Number.POSITIVE_INFINITY): string[] {
    const found: string[] = []
    const start = this.#seek(from)
    let index = start.index
    for (let number = start.chunk; number < this.#chunks.length; number += 1) {
      const chunk = this.#chunk(number)
      for (; index < chunk.length; index += 1) {
        const key = chunk[index] as string
        if (found.length >= limit || (to !== undefined && key >= to)) return found
        found.push(key)
      }
      index = 0
    }
    return found
  }

  /** Position of the first key >= `bound`; chunk = number of chunks when there is none. */
  #seek(bound: string): Position {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const chunk = this.#chunk(middle)
      if ((chunk[chunk.length - 1] as string) < bound) low = middle + 1
      else high = middle
    }
    const chunk = this.#chunks[low]
    return { chunk: low, index: chunk === undefined ? 0 : lowerBound(chunk, bound) }
  }

  #chunk(number: number): string[] {
    return this.#chunks[number] as string[]
  }
}
