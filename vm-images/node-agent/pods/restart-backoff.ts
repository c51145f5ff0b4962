// Back-off of restarts and image pulls: 10 s doubling to 5 min, forgotten after 10 quiet minutes. Keys are per pod, container and image.
const initialMs = 10_000
const maxMs = 300_000

interface Entry {
  backoffMs: number
  lastUpdateMs: number
}

export class RestartBackoff {
  readonly #entries = new Map<string, Entry>()

  /** How long, from `now`, the key must still wait after something that happened at `eventMs`; 0: go. */
  remaining(key: string, eventMs: number, now: number): number {
    const entry = this.#entries.get(key)
    if (entry === undefined || isExpired(entry, eventMs)) return 0
    return Math.max(0, eventMs + entry.backoffMs - now)
  }

  current(key: string): number {
    return this.#entries.get(key)?.backoffMs ?? 0
  }

  /** Counts one more try. */
  next(key: string, eventMs: number, now: number): void {
    const entry = this.#entries.get(key)
    const backoffMs =
      entry === undefined || isExpired(entry, eventMs) ? initialMs : Math.min(maxMs, entry.backoffMs * 2)
    this.#entries.set(key, { backoffMs, lastUpdateMs: now })
  }

  forget(key: string): void {
    this.#entries.delete(key)
  }

  /** Drops entries nobody has used for long. */
  prune(now: number): void {
    for (const [key, entry] of this.#entries) if (isExpired(entry, now)) this.#entries.delete(key)
  }
}

const isExpired = (entry: Entry, at: number): boolean => at - entry.lastUpdateMs > 2 * maxMs

/** Durations as Go prints them: "10s", "2m40s", "5m0s". */
export function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${String(seconds)}s`
  const minutes = Math.floor(seconds / 60)
  const rest = `${String(minutes % 60)}m${String(seconds % 60)}s`
  return minutes < 60 ? rest : `${String(Math.floor(minutes / 60))}h${rest}`
}
