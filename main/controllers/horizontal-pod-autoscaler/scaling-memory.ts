// What the autoscalers recommended and did lately, by their keys. Lost at a restart, as upstream's is.
import type { Recommendation, ScaleEvent, ScalingHistory } from './limits.ts'

/** Longer than any window or period that the API allows. */
const keptMs = 3_600_000

interface Memory {
  recommendations: Recommendation[]
  scaledUp: ScaleEvent[]
  scaledDown: ScaleEvent[]
}

export class ScalingMemory {
  readonly #byKey = new Map<string, Memory>()

  /** The first look remembers the size that was found. */
  historyOf(key: string, currentReplicas: number, nowMs: number): ScalingHistory {
    let memory = this.#byKey.get(key)
    if (memory === undefined) {
      memory = { recommendations: [{ replicas: currentReplicas, atMs: nowMs }], scaledUp: [], scaledDown: [] }
      this.#byKey.set(key, memory)
    }
    const isKept = ({ atMs }: { atMs: number }): boolean => atMs > nowMs - keptMs
    memory.recommendations = memory.recommendations.filter(isKept)
    memory.scaledUp = memory.scaledUp.filter(isKept)
    memory.scaledDown = memory.scaledDown.filter(isKept)
    return memory
  }

  recommended(key: string, replicas: number, atMs: number): void {
    this.#byKey.get(key)?.recommendations.push({ replicas, atMs })
  }

  scaled(key: string, from: number, to: number, atMs: number): void {
    const memory = this.#byKey.get(key)
    if (to > from) memory?.scaledUp.push({ change: to - from, atMs })
    else if (to < from) memory?.scaledDown.push({ change: from - to, atMs })
  }

  forget(key: string): void {
    this.#byKey.delete(key)
  }
}
