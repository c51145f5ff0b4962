// Where a watch puts its events.
import type { StatusError } from '../../../common/machinery/status.ts'
import type { EventType, StoredObject } from '../registry/stored-object.ts'

/** Called synchronously while the store commits: must not throw and must not block. */
export interface WatchSink {
  event(type: EventType, object: StoredObject): void
  bookmark(revision: number, initialEventsEnd: boolean): void
  /** Asked while the initial state is given: undefined when it can take more at once, else a promise of when it can. */
  ready(): Promise<void> | undefined
  /** The last call. A StatusError tells the client why (410: relist). */
  end(error?: StatusError): void
}
