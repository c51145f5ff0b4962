// The ranges of one family that nodes get for their pods: parts of equal size of the cluster's range, given out in a ring, so that a
// range that was given back rests before it is given away again.
import { numberToAddress, overlap, rangeOf, type AddressRange } from '../../../common/machinery/addresses.ts'
import type { PodRanges } from '../runtime/settings.ts'

export class RangeRing {
  readonly #whole: AddressRange
  readonly #bits: number
  readonly #partSize: bigint
  readonly #reserved: readonly AddressRange[]
  #next = 0n

  constructor(cidr: string, bits: number, reserved: readonly string[]) {
    this.#whole = rangeOf(cidr)
    this.#bits = bits
    this.#partSize = rangeOf(`${cidr.split('/')[0] ?? ''}/${String(bits)}`).size
    this.#reserved = reserved.map(rangeOf)
  }

  /** Undefined when all are taken. */
  take(isTaken: (cidr: string) => boolean): string | undefined {
    const { first, size, family } = this.#whole
    const count = size / this.#partSize
    for (let step = 0n; step < count; step += 1n) {
      const at = (this.#next + step) % count
      const part = { family, first: first + at * this.#partSize, size: this.#partSize }
      if (this.#reserved.some((range) => overlap(range, part))) continue
      const cidr = `${numberToAddress(part.first, family)}/${String(this.#bits)}`
      if (isTaken(cidr)) continue
      this.#next = (at + 1n) % count
      return cidr
    }
    return undefined
  }
}

export const ringsOf = ({ clusterCidrs, maskSizes, reserved }: PodRanges): RangeRing[] =>
  clusterCidrs.map((cidr) => new RangeRing(cidr, maskSizes[rangeOf(cidr).family], reserved))
