// Affinity terms of pods that are already placed, by node: equal terms of many pods are one entry.
import type { CompiledTerm } from './affinity-terms.ts'
import { change } from './label-counts.ts'

export class TermCounts {
  readonly #terms = new Map<string, { term: CompiledTerm; nodes: Map<string, number> }>()

  add(terms: readonly CompiledTerm[], node: string): void {
    for (const term of terms) {
      let entry = this.#terms.get(term.key)
      if (entry === undefined) {
        entry = { term, nodes: new Map() }
        this.#terms.set(term.key, entry)
      }
      change(entry.nodes, node, 1)
    }
  }

  remove(terms: readonly CompiledTerm[], node: string): void {
    for (const term of terms) {
      const entry = this.#terms.get(term.key)
      if (entry === undefined) continue
      change(entry.nodes, node, -1)
      if (entry.nodes.size === 0) this.#terms.delete(term.key)
    }
  }

  get size(): number {
    return this.#terms.size
  }

  entries(): IterableIterator<{ term: CompiledTerm; nodes: ReadonlyMap<string, number> }> {
    return this.#terms.values()
  }
}
