// All pods of this node: one worker per pod, fed by the API's watch and by the runtime's events. Pods that only the runtime knows are
// removed; pods that only the API knows are started.
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod } from '../../../common/api/generated/types.ts'
import { guestPaths } from '../../../common/channel/guest-config.ts'
import { createInformer } from '../../../common/client/create-informer.ts'
import type { Informer } from '../../../common/client/informer.ts'
import { pods } from '../../../common/client/resources.ts'
import type { PodContext } from './pod-context.ts'
import { PodWorker } from './pod-worker.ts'
import { cgroupRoot, removePodCgroup } from './cgroups.ts'
import { describeError } from '../logger.ts'
import type { RuntimeEvent } from '../runtime/events.ts'

/** The safety net behind events: every pod is looked at again this often. */
const resyncMs = 300_000

export class PodManager {
  readonly #context: PodContext
  readonly #nodeHosts: string
  readonly #workers = new Map<string, PodWorker>()
  readonly #informer: Informer<Pod>
  #cancelResync: () => void = () => undefined
  #closed = false

  constructor(context: PodContext, nodeHosts: string) {
    this.#context = context
    this.#nodeHosts = nodeHosts
    this.#informer = createInformer({
      client: context.client,
      resource: pods,
      fieldSelector: `spec.nodeName=${context.config.machine}`,
      logger: context.logger,
      clock: context.clock,
    })
  }

  start(): void {
    this.#informer.subscribe({
      onAdd: (pod) => {
        this.#ensure(pod)
      },
      onUpdate: (pod, old) => {
        if (old.metadata.uid !== pod.metadata.uid) this.#workers.get(old.metadata.uid ?? '')?.removed()
        this.#ensure(pod)
      },
      onDelete: (pod) => {
        this.#workers.get(pod.metadata.uid ?? '')?.removed()
      },
    })
    this.#informer.start()
    void this.#informer.synced.then(
      () => this.cleanUp(),
      () => undefined,
    )
    this.#scheduleResync()
  }

  /** The pod by name, as the newest worker of that name knows it. */
  find(namespace: string, name: string): Pod | undefined {
    const known = this.#informer.get(`${namespace}/${name}`)
    if (known !== undefined) return known
    return [...this.#workers.values()].map(({ pod }) => pod).find(({ metadata }) => metadata.namespace === namespace && metadata.name === name) // prettier-ignore
  }

  list(): Pod[] {
    return [...this.#workers.values()].map(({ pod }) => pod)
  }

  onRuntimeEvent(event: RuntimeEvent): void {
    if (event.type === 'reconnected') {
      for (const worker of this.#workers.values()) worker.wake()
      if (this.#informer.hasSynced()) void this.cleanUp()
    } else this.#workers.get(event.podUid)?.wake()
  }

  /** Stops and removes what the runtime runs and the disk holds of pods that no longer exist. Only after the first list of the API. */
  async cleanUp(): Promise<void> {
    try {
      for (const { uid, name, namespace } of await this.#context.runtime.listPods()) {
        if (this.#workers.has(uid) || this.#closed) continue
        this.#context.logger.info('removing a pod the API does not know', { pod: `${namespace}/${name}` })
        const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { uid, name, namespace }, spec: { containers: [] } }
        this.#add(pod, false)
      }
      await this.#removeLeftovers()
    } catch (error) {
      this.#context.logger.warn('clean-up failed', { error: describeError(error) })
    }
  }

  /** Leaves the pods running. */
  close(): void {
    this.#closed = true
    this.#cancelResync()
    this.#informer.stop()
    for (const worker of this.#workers.values()) worker.close()
  }

  #ensure(pod: Pod): void {
    const worker = this.#workers.get(pod.metadata.uid ?? '')
    if (worker === undefined) this.#add(pod, true)
    else worker.update(pod)
  }

  #add(pod: Pod, inApi: boolean): void {
    const uid = pod.metadata.uid ?? ''
    const worker = new PodWorker({
      context: this.#context,
      pod,
      inApi,
      nodeHosts: this.#nodeHosts,
      onGone: () => {
        this.#workers.delete(uid)
        void rm(this.#logFolder(pod), { recursive: true, force: true })
      },
    })
    this.#workers.set(uid, worker)
    worker.wake()
  }

  #logFolder({ metadata }: Pod): string {
    return join(guestPaths.podLogs, `${metadata.namespace ?? ''}_${metadata.name ?? ''}_${metadata.uid ?? ''}`)
  }

  async #removeLeftovers(): Promise<void> {
    const { volumes } = this.#context
    for (const uid of await readdir(volumes.podFolder('')).catch(() => []))
      if (!this.#workers.has(uid)) await volumes.tearDown(uid)
    for (const folder of await readdir(guestPaths.podLogs).catch(() => [])) {
      const uid = folder.split('_').at(-1) ?? ''
      if (!this.#workers.has(uid)) await rm(join(guestPaths.podLogs, folder), { recursive: true, force: true })
    }
    for (const parent of ['/kubepods', '/kubepods/burstable', '/kubepods/besteffort'])
      for (const name of await readdir(join(cgroupRoot, parent)).catch(() => []))
        if (name.startsWith('pod') && !this.#workers.has(name.slice(3))) await removePodCgroup(`${parent}/${name}`)
  }

  #scheduleResync(): void {
    this.#cancelResync = this.#context.clock.after(resyncMs, () => {
      this.#context.backoff.prune(this.#context.clock.now())
      for (const worker of this.#workers.values()) worker.wake()
      this.#scheduleResync()
    })
  }
}
