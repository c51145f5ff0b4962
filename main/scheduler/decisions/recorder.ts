// Writes scheduling decisions beside the scheduler's work: later, in batches, only the newest of each pod, and only as fast as there is
// nothing better to do. Losing one costs an explanation, never a placement.
import type { SchedulingDecision } from '../../../common/api/lab/v1alpha1.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import { schedulingDecisions } from '../../../common/client/resources.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'

export interface DecisionRecorderOptions {
  client: KubeClient
  clock: Clock
  logger: Logger
  /** The scheduler has pods to place: decisions wait a little longer. */
  isBusy: () => boolean
  /** The pod still exists. */
  exists: (key: string, uid: string) => boolean
}

const gatherMs = 50
/** While the scheduler is busy decisions are put off up to this long. */
const maxDelayMs = 10_000
const batchSize = 32
const maxPending = 5_000

interface Pending {
  decision: SchedulingDecision
  at: number
}

export class DecisionRecorder {
  readonly #options: DecisionRecorderOptions
  readonly #pending = new Map<string, Pending>()
  /** UIDs of pods whose decision is known to exist: decides between create and replace. */
  readonly #written = new Set<string>()
  #cancel: (() => void) | undefined
  #writing: Promise<void> | undefined
  #stopped = false
  dropped = 0

  constructor(options: DecisionRecorderOptions) {
    this.#options = options
  }

  record(decision: SchedulingDecision): void {
    if (this.#stopped) return
    const key = objectKey(decision)
    this.#pending.delete(key)
    this.#pending.set(key, { decision, at: this.#options.clock.now() })
    if (this.#pending.size > maxPending) {
      const oldest = this.#pending.keys().next()
      if (oldest.done !== true) this.#pending.delete(oldest.value)
      this.dropped++
    }
    this.#arm()
  }

  podGone(uid: string): void {
    this.#written.delete(uid)
  }

  get pending(): number {
    return this.#pending.size
  }

  /** Writes what is waiting, without regard to how busy the scheduler is. */
  async flush(): Promise<void> {
    this.#disarm()
    await this.#writing
    while (this.#pending.size > 0) await this.#writeBatch()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#disarm()
    this.#pending.clear()
    await this.#writing
  }

  #arm(): void {
    if (this.#cancel !== undefined || this.#writing !== undefined || this.#pending.size === 0 || this.#stopped) return
    this.#cancel = this.#options.clock.after(gatherMs, () => {
      this.#cancel = undefined
      const [oldest] = this.#pending.values()
      if (oldest === undefined) return
      if (this.#options.isBusy() && this.#options.clock.now() - oldest.at < maxDelayMs) {
        this.#arm()
        return
      }
      this.#writing = this.#writeBatch().finally(() => {
        this.#writing = undefined
        this.#arm()
      })
    })
  }

  #disarm(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  async #writeBatch(): Promise<void> {
    const batch: SchedulingDecision[] = []
    for (const [key, { decision }] of this.#pending) {
      this.#pending.delete(key)
      batch.push(decision)
      if (batch.length === batchSize) break
    }
    await Promise.all(batch.map((decision) => this.#write(decision)))
  }

  async #write(decision: SchedulingDecision): Promise<void> {
    const { logger, exists } = this.#options
    const uid = decision.status.podUid
    const key = objectKey(decision)
    if (!exists(key, uid)) return
    try {
      if (this.#written.has(uid)) await this.#replace(decision)
      else await this.#create(decision)
      this.#written.add(uid)
    } catch (error) {
      if (isReason(error, 'NotFound') || isReason(error, 'Forbidden')) return
      logger.debug('a scheduling decision could not be written', {
        pod: key,
        message: error instanceof Error ? error.message : String(error),
      })
    }
  }

  async #create(decision: SchedulingDecision): Promise<void> {
    try {
      await this.#options.client.create(schedulingDecisions, decision)
    } catch (error) {
      // Of an earlier engine, or of an earlier pod of that name.
      if (!isReason(error, 'AlreadyExists')) throw error
      await this.#replace(decision)
    }
  }

  async #replace(decision: SchedulingDecision): Promise<void> {
    const { name = '', namespace, ownerReferences } = decision.metadata
    try {
      await this.#options.client.patch(schedulingDecisions, { name, namespace }, 'application/json-patch+json', [
        { op: 'replace', path: '/status', value: decision.status },
        { op: 'add', path: '/metadata/ownerReferences', value: ownerReferences },
      ])
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
      await this.#options.client.create(schedulingDecisions, decision)
    }
  }
}
