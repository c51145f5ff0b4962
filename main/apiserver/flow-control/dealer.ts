// Shuffle sharding: each flow has a hand of queues, dealt by a hash of its name, so that two flows seldom share all of theirs.
import { createHash } from 'node:crypto'

/** The queues of a flow, distinct, in dealing order. */
export function dealHand(flow: string, queues: number, handSize: number): number[] {
  let rest = createHash('sha256').update(flow).digest().readBigUInt64LE() & ((1n << 60n) - 1n)
  const dealt: number[] = []
  for (let index = 0; index < Math.min(handSize, queues); index += 1) {
    const left = BigInt(queues - index)
    let card = Number(rest % left)
    rest /= left
    // The n-th of the cards that are left.
    for (const taken of [...dealt].sort((a, b) => a - b)) if (taken <= card) card += 1
    dealt.push(card)
  }
  return dealt
}
