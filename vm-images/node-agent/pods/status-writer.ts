// Writes pod statuses to the API: per pod the newest wins, unchanged ones are not written, failures are tried again while the pod lives.
import type { Pod, PodStatus } from '../../../common/api/generated/types.ts'
import { Backoff } from '../../../common/client/backoff.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import { delay } from '../../../common/client/delay.ts'
import { pods } from '../../../common/client/resources.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import { StatusError } from '../../../common/machinery/status.ts'
import { describeError } from '../logger.ts'
import { statusPatch } from './status-patch.ts'

interface Pending {
  pod: Pod
  status: PodStatus
}

export class StatusWriter {
  readonly #client: KubeClient
  readonly #clock: Clock
  readonly #logger: Logger
  /** What the API has as far as we know, by uid: the last write, or what the informer showed. */
  readonly #written = new Map<string, string>()
  readonly #pending = new Map<string, Pending>()
  readonly #writing = new Map<string, Promise<void>>()

  constructor(options: { client: KubeClient; clock: Clock; logger: Logger }) {
    this.#client = options.client
    this.#clock = options.clock
    this.#logger = options.logger
  }

  set(pod: Pod, status: PodStatus): void {
    const uid = pod.metadata.uid ?? ''
    const text = JSON.stringify(status)
    if (this.#written.get(uid) === text) return
    this.#written.set(uid, text)
    this.#pending.set(uid, { pod, status })
    if (!this.#writing.has(uid)) this.#writing.set(uid, this.#drain(uid))
  }

  /** Resolves when the newest status given for this pod has been written (or its pod is gone). */
  async settled(uid: string): Promise<void> {
    await this.#writing.get(uid)
  }

  forget(uid: string): void {
    this.#written.delete(uid)
    this.#pending.delete(uid)
  }

  async #drain(uid: string): Promise<void> {
    const backoff = new Backoff({ baseMs: 200, maxMs: 10_000 })
    for (let next = this.#take(uid); next !== undefined; next = this.#take(uid)) {
      try {
        await this.#write(next)
        backoff.reset()
      } catch (error) {
        if (error instanceof StatusError && (error.code === 404 || error.code === 409)) continue
        this.#logger.debug('a pod status could not be written', {
          pod: next.pod.metadata.name,
          error: describeError(error),
        })
        // A newer status that came meanwhile takes this one's place.
        if (!this.#pending.has(uid) && this.#written.has(uid)) this.#pending.set(uid, next)
        await delay(this.#clock, backoff.next())
      }
    }
    this.#writing.delete(uid)
  }

  #take(uid: string): Pending | undefined {
    const next = this.#pending.get(uid)
    this.#pending.delete(uid)
    return next
  }

  async #write({ pod, status }: Pending): Promise<void> {
    const { name = '', namespace } = pod.metadata
    const target = { name, namespace, subresource: 'status' }
    await this.#client.patch(pods, target, 'application/strategic-merge-patch+json', statusPatch(pod, status))
  }
}
