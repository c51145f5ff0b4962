// Ranges are split in two: the lower band is kept for those who ask for a certain address or port, and given away to others only
// when the upper one is used up. Where the search begins depends on the Service's uid, so that neighbours seldom meet.

export interface BandSizes {
  /** Bounds of the lower band, where the range has one. */
  readonly smallest: number
  readonly largest: number
  /** The lower band is one part in so many. */
  readonly step: number
  /** A range of at most so many is not split. */
  readonly atMost: number
}

/** How many at the start of a range of `size` are the lower band. */
export function bandOf(size: number, { smallest, largest, step, atMost }: BandSizes): number {
  if (size <= atMost) return 0
  return Math.min(largest, Math.max(smallest, Math.floor(size / step)))
}

/** The last 64 bits of the uid: the lower 60 are random. */
export function startOf(uid = ''): bigint {
  const digits = uid.replaceAll(/[^0-9a-f]/g, '')
  return digits === '' ? 0n : BigInt(`0x${digits.slice(-16)}`)
}
