// Records core/v1 Events about objects: equal events are counted up instead of repeated, many similar ones are folded into one,
// and a source that talks too much about one object is cut short. Never throws, never delays the caller.
import type { Event, ObjectReference } from '../api/generated/types.ts'
import type { Clock } from '../machinery/clock.ts'
import { formatTime } from '../machinery/clock.ts'
import type { Logger } from '../machinery/logger.ts'
import type { KubeObject } from '../machinery/meta.ts'
import { isReason } from '../machinery/status.ts'
import type { KubeClient } from './client.ts'
import { EventCorrelator } from './event-correlator.ts'
import { events } from './resources.ts'

export interface EventRecorder {
  /** `message` is a finished sentence. */
  event(about: KubeObject | ObjectReference, type: 'Normal' | 'Warning', reason: string, message: string): void
  /** Resolves when everything recorded so far has been written or given up. */
  flush(): Promise<void>
  stop(): Promise<void>
}

export interface EventRecorderOptions {
  client: KubeClient
  /** "replicaset-controller", "default-scheduler", "kubelet". */
  component: string
  /** Node name, for events of node agents. */
  host?: string
  clock: Clock
  logger: Logger
}

/** Events waiting to be written; more are dropped, as events are the least of what must survive an overload. */
const maxPending = 2_000
const parallelWrites = 4

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new QueuedRecorder(options)
}

export function referenceTo(object: KubeObject | ObjectReference): ObjectReference {
  if (!('metadata' in object)) return object
  const { metadata } = object
  return {
    kind: object.kind,
    apiVersion: object.apiVersion,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    name: metadata.name,
    uid: metadata.uid,
    ...(metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
  }
}

interface PendingEvent {
  reference: ObjectReference
  type: 'Normal' | 'Warning'
  reason: string
  message: string
  at: number
}

class QueuedRecorder implements EventRecorder {
  readonly #options: EventRecorderOptions
  readonly #correlator: EventCorrelator
  readonly #pending: PendingEvent[] = []
  #writers = 0
  #idle: (() => void)[] = []
  #stopped = false
  #dropped = 0

  constructor(options: EventRecorderOptions) {
    this.#options = options
    this.#correlator = new EventCorrelator(options.clock)
  }

  event(about: KubeObject | ObjectReference, type: 'Normal' | 'Warning', reason: string, message: string): void {
    if (this.#stopped) return
    if (this.#pending.length >= maxPending) {
      this.#dropped++
      if (this.#dropped % 1000 === 1)
        this.#options.logger.warn('events are dropped, too many are waiting', { dropped: this.#dropped })
      return
    }
    this.#pending.push({ reference: referenceTo(about), type, reason, message, at: this.#options.clock.now() })
    if (this.#writers < parallelWrites) {
      this.#writers++
      // Not in the caller's turn: recording must cost it nothing.
      queueMicrotask(() => void this.#write())
    }
  }

  flush(): Promise<void> {
    if (this.#writers === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#idle.push(resolve)
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.flush()
  }

  async #write(): Promise<void> {
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
      try {
        await this.#writeOne(next)
      } catch (error) {
        this.#options.logger.debug('an event could not be written', {
          reason: next.reason,
          message: error instanceof Error ? error.message : String(error),
        })
      }
    }
    this.#writers--
    if (this.#writers > 0) return
    for (const resolve of this.#idle) resolve()
    this.#idle = []
  }

  async #writeOne({ reference, type, reason, message, at }: PendingEvent): Promise<void> {
    const { client, component, host } = this.#options
    const verdict = this.#correlator.correlate({ component, host: host ?? '', reference, type, reason, message })
    if (verdict === 'drop') return
    const namespace = reference.namespace ?? 'default'
    if (verdict.known !== undefined) {
      const patch = { count: verdict.count, lastTimestamp: formatTime(at), message: verdict.message }
      try {
        await client.patch(events, { name: verdict.known, namespace }, 'application/merge-patch+json', patch)
        return
      } catch (error) {
        // Expired on the server in the meantime: write it anew.
        if (!isReason(error, 'NotFound')) throw error
      }
    }
    const event: Event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${reference.name ?? 'unknown'}.${uniqueSuffix(at)}`, namespace },
      involvedObject: reference,
      reason,
      message: verdict.message,
      type,
      source: host === undefined ? { component } : { component, host },
      firstTimestamp: formatTime(verdict.firstAt),
      lastTimestamp: formatTime(at),
      count: verdict.count,
      reportingComponent: component,
      ...(host === undefined ? {} : { reportingInstance: host }),
    }
    const written = await client.create(events, event)
    verdict.written(written.metadata.name ?? '')
  }
}

let sequence = 0
/** Sixteen hex digits, unique in this process, growing with time (upstream uses the time in nanoseconds). */
function uniqueSuffix(atMs: number): string {
  sequence = (sequence + 1) % 1_000_000
  return (BigInt(atMs) * 1_000_000n + BigInt(sequence)).toString(16)
}
