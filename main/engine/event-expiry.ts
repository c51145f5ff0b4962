// Events are kept for an hour (--event-ttl) after their last write, as etcd's leases do it elsewhere. Nothing is held in memory for it: every few
// minutes they are read page by page and the old ones deleted.
import type { Event } from '../../common/api/generated/types.ts'
import type { KubeClient } from '../../common/client/client.ts'
import { events } from '../../common/client/resources.ts'
import type { Clock } from '../../common/machinery/clock.ts'
import type { Logger } from '../../common/machinery/logger.ts'
import { isReason } from '../../common/machinery/status.ts'

export const eventLifeMs = 3_600_000
const sweepMs = 300_000
const minSweepMs = 1000
const pageSize = 500

export interface EventExpiryOptions {
  client: KubeClient
  clock: Clock
  logger: Logger
  /** 0: for good. */
  lifeMs?: number
}

/** Returns how to stop; resolves when a sweep under way has ended. */
export function startEventExpiry(options: EventExpiryOptions): () => Promise<void> {
  const { clock, logger, lifeMs = eventLifeMs } = options
  // As upstream: no end means for good.
  if (lifeMs <= 0) return () => Promise.resolve()
  const abort = new AbortController()
  let sweeping: Promise<void> = Promise.resolve()
  let cancel = (): void => undefined
  const plan = (): void => {
    cancel = clock.after(Math.max(minSweepMs, Math.min(sweepMs, lifeMs)), () => {
      sweeping = sweep(options, abort.signal)
        .catch((error: unknown) => {
          if (!abort.signal.aborted) logger.warn('old events could not be removed', { error })
        })
        .then(() => {
          if (!abort.signal.aborted) plan()
        })
    })
  }
  plan()
  return async () => {
    abort.abort(new Error('the engine is stopping'))
    cancel()
    await sweeping
  }
}

async function sweep({ client, clock, lifeMs = eventLifeMs }: EventExpiryOptions, signal: AbortSignal): Promise<void> {
  const oldest = clock.now() - lifeMs
  let next: string | undefined
  do {
    const page = await client.list(events, {
      limit: pageSize,
      signal,
      ...(next === undefined ? {} : { continue: next }),
    })
    for (const event of page.items) {
      signal.throwIfAborted()
      if (lastWriteMs(event) < oldest) await remove(client, event)
    }
    next = page.metadata.continue === '' ? undefined : page.metadata.continue
  } while (next !== undefined)
}

/** Every write leaves its time in managedFields. */
function lastWriteMs({ metadata }: Event): number {
  const times = [metadata.creationTimestamp, ...(metadata.managedFields ?? []).map(({ time }) => time)]
  return Math.max(...times.map((time) => (time === undefined ? 0 : Date.parse(time))))
}

async function remove(client: KubeClient, { metadata }: Event): Promise<void> {
  const { name = '', namespace, uid, resourceVersion } = metadata
  try {
    // Written again meanwhile: it lives on.
    await client.delete(events, name, namespace, { preconditions: { uid, resourceVersion } })
  } catch (error) {
    if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
  }
}
