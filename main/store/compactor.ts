// Keeps history bounded: forgets what is older than a time and beyond a number of revisions. Revisions carry no time, so the
// compactor notes which revision was the newest at each tick; after a restart age counts from the restart.
import type { Clock } from '../../common/machinery/clock.ts'
import type { Logger } from '../../common/machinery/logger.ts'
import type { Store } from './store.ts'

export interface CompactorOptions {
  store: Store
  clock: Clock
  logger: Logger
  /** History younger than this is kept; 0: however old. Default one hour. */
  keepMs?: number
  /** At most this many revisions are kept, however young. Default 100,000. */
  keepRevisions?: number
  /** Time between looks. Default one minute, or as often as there is something to forget. */
  everyMs?: number
}

/** Starts compacting; the returned function stops it. */
export function startCompactor(options: CompactorOptions): () => void {
  const { store, clock, logger, keepMs = 3_600_000, keepRevisions = 100_000 } = options
  const { everyMs = keepMs === 0 ? 60_000 : Math.min(keepMs, 60_000) } = options
  const seen: { time: number; revision: number }[] = []
  let cancel: () => void = () => undefined
  let stopped = false

  const look = async (): Promise<void> => {
    const now = clock.now()
    seen.push({ time: now, revision: store.revision })
    while (seen[1] !== undefined && seen[1].time <= now - keepMs) seen.shift()
    const [oldest] = seen
    const byAge = keepMs > 0 && oldest !== undefined && oldest.time <= now - keepMs ? oldest.revision : 0
    const target = Math.max(byAge, store.revision - keepRevisions)
    if (target <= store.compactRevision) return
    await store.compact(target)
    logger.debug('history compacted', { revision: target })
  }

  const schedule = (): void => {
    cancel = clock.after(everyMs, () => {
      look()
        .catch((error: unknown) => {
          // A full disk, or the store is closing; the next look tries again.
          logger.warn('compaction failed', { error: String(error) })
        })
        .finally(() => {
          if (!stopped) schedule()
        })
    })
  }

  schedule()
  return () => {
    stopped = true
    cancel()
  }
}
