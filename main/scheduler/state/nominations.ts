// For which waiting pods room is being made on which node (status.nominatedNodeName).
import type { PodFacts } from './pod-facts.ts'

export class Nominations {
  readonly #byUid = new Map<string, { facts: PodFacts; node: string }>()

  get size(): number {
    return this.#byUid.size
  }

  set(facts: PodFacts, node: string | undefined): void {
    if (node === undefined || node === '') this.#byUid.delete(facts.uid)
    else this.#byUid.set(facts.uid, { facts, node })
  }

  delete(uid: string): void {
    this.#byUid.delete(uid)
  }

  nodeOf(uid: string): string | undefined {
    return this.#byUid.get(uid)?.node
  }

  on(node: string): PodFacts[] {
    if (this.#byUid.size === 0) return []
    return [...this.#byUid.values()].filter((nomination) => nomination.node === node).map(({ facts }) => facts)
  }
}
