// Audit events to a server of somebody's choice, as audit.k8s.io/v1 EventLists: so many at a time, or what there is after a while.
// One that does not keep up loses events, and the log says how many: no request waits for it.
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import { type RemoteEndpoint, RemoteClient } from '../auth/remote/endpoint.ts'
import type { AuditLog } from './log-file.ts'

const sendMs = 30_000

export interface AuditWebhookOptions {
  readonly endpoint: RemoteEndpoint
  readonly clock: Clock
  readonly logger: Logger
  /** Events in one list. Default 400. */
  readonly batchSize?: number
  /** How long events wait for others. Default 30 s. */
  readonly maxWaitMs?: number
  /** Events that wait at most. Default 10,000. */
  readonly bufferSize?: number
}

export function openAuditWebhook(options: AuditWebhookOptions): AuditLog {
  return new AuditWebhook(options)
}

class AuditWebhook implements AuditLog {
  readonly #client: RemoteClient
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #batchSize: number
  readonly #maxWaitMs: number
  readonly #bufferSize: number
  #waiting: string[] = []
  #dropped = 0
  #cancel: (() => void) | undefined
  #sending: Promise<void> | undefined

  constructor({ endpoint, clock, logger, ...limits }: AuditWebhookOptions) {
    this.#client = new RemoteClient(endpoint)
    this.#clock = clock
    this.#logger = logger
    this.#batchSize = limits.batchSize ?? 400
    this.#maxWaitMs = limits.maxWaitMs ?? 30_000
    this.#bufferSize = limits.bufferSize ?? 10_000
  }

  readonly sink = (line: string): void => {
    if (this.#waiting.length >= this.#bufferSize) {
      this.#dropped += 1
      return
    }
    this.#waiting.push(line)
    if (this.#waiting.length >= this.#batchSize) this.#begin()
    else this.#cancel ??= this.#clock.after(this.#maxWaitMs, this.#begin)
  }

  async close(): Promise<void> {
    this.#cancel?.()
    while (this.#waiting.length > 0 || this.#sending !== undefined) {
      this.#begin()
      await this.#sending
    }
    this.#client.close()
  }

  readonly #begin = (): void => {
    this.#cancel?.()
    this.#cancel = undefined
    if (this.#sending !== undefined || this.#waiting.length === 0) return
    const batch = this.#waiting.splice(0, this.#batchSize)
    this.#sending = this.#send(batch).finally(() => {
      this.#sending = undefined
      if (this.#waiting.length >= this.#batchSize) this.#begin()
      else if (this.#waiting.length > 0) this.#cancel ??= this.#clock.after(this.#maxWaitMs, this.#begin)
    })
  }

  async #send(batch: readonly string[]): Promise<void> {
    const list = `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${batch.join(',')}]}`
    try {
      await this.#client.send(list, sendMs)
    } catch (error) {
      this.#dropped += batch.length
      this.#logger.error('audit events could not be sent', { error })
    }
    if (this.#dropped === 0) return
    this.#logger.warn('audit events were lost', { events: this.#dropped })
    this.#dropped = 0
  }
}
