// One informer per deletable resource of the server, kept in step with discovery: custom resources come and go.
import type { ResourceRef } from '../../../common/client/client.ts'
import type { DiscoveredResource } from '../../../common/client/discovery.ts'
import { discoverResources } from '../../../common/client/discovery.ts'
import { delay } from '../../../common/client/delay.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { formatApiVersion, parseApiVersion } from '../../../common/machinery/meta.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import type { ControllerDeps } from '../runtime/deps.ts'

export interface MonitorHandlers {
  observe: (object: KubeObject, ref: ResourceRef) => void
  remove: (uid: string) => void
}

/** Events are never owned and never own, but are many. */
const ignored = new Set(['/events', 'events.k8s.io/events'])
const required = ['list', 'watch', 'delete']
/** A server with a resource that cannot be listed must not stop collecting all others. */
const syncDeadlineMs = 10_000

export class Monitors {
  readonly #deps: ControllerDeps
  readonly #client: KubeClient
  readonly #handlers: MonitorHandlers
  readonly #running = new Map<string, { ref: ResourceRef; stop: () => void }>()
  #byKind = new Map<string, DiscoveredResource>()

  constructor(deps: ControllerDeps, client: KubeClient, handlers: MonitorHandlers) {
    this.#deps = deps
    this.#client = client
    this.#handlers = handlers
  }

  resolve(apiVersion: string, kind: string): ResourceRef | undefined {
    return this.#byKind.get(`${parseApiVersion(apiVersion).group}/${kind}`)
  }

  /** Reads discovery and starts and stops informers to match. Resolves when the new ones are filled. */
  async update(signal: AbortSignal): Promise<void> {
    const { resources, failures } = await discoverResources(this.#client.transport, signal)
    this.#byKind = new Map(resources.map((resource) => [`${resource.group}/${resource.kind}`, resource]))
    const wanted = new Map(
      resources
        .filter(
          ({ group, plural, verbs }) =>
            !ignored.has(`${group}/${plural}`) && required.every((verb) => verbs.includes(verb)),
        )
        .map((resource) => [keyOf(resource), resource]),
    )
    const leaving = [...this.#running].filter(
      ([key, { ref }]) =>
        !wanted.has(key) &&
        // A group that could not be asked may still be there.
        !failures.some(({ groupVersion }) => groupVersion === formatApiVersion(ref.group, ref.version)),
    )
    const started: Promise<void>[] = []
    for (const [key, resource] of wanted) if (!this.#running.has(key)) started.push(this.#start(key, resource))
    await Promise.race([Promise.all(started), delay(this.#deps.clock, syncDeadlineMs, signal)])
    // Only now: a kind that has got another version is watched all the while.
    for (const [key, monitor] of leaving) this.#leave(key, monitor)
  }

  /** Ends a monitor. What was deleted while another version took its place is seen by neither and is told here. */
  #leave(key: string, { ref, stop }: { ref: ResourceRef; stop: () => void }): void {
    const successor = [...this.#running.values()].find(
      (other) => other.ref !== ref && other.ref.group === ref.group && other.ref.plural === ref.plural,
    )
    const uidsOf = (of: ResourceRef): (string | undefined)[] =>
      this.#deps.informers
        .of<KubeObject>(of)
        .list()
        .map(({ metadata }) => metadata.uid)
    const known = uidsOf(ref)
    const left = new Set(successor === undefined ? [] : uidsOf(successor.ref))
    stop()
    this.#running.delete(key)
    this.#deps.informers.drop(ref)
    for (const uid of known) if (uid !== undefined && !left.has(uid)) this.#handlers.remove(uid)
  }

  stop(): void {
    for (const monitor of this.#running.values()) monitor.stop()
    this.#running.clear()
  }

  #start(key: string, ref: ResourceRef): Promise<void> {
    const informer = this.#deps.informers.of<KubeObject>(ref)
    const { observe, remove } = this.#handlers
    const stop = informer.subscribe({
      onAdd: (object) => {
        observe(object, ref)
      },
      onUpdate: (object) => {
        observe(object, ref)
      },
      onDelete: (object) => {
        remove(object.metadata.uid ?? '')
      },
    })
    this.#running.set(key, { ref, stop })
    return informer.synced.catch(() => undefined)
  }
}

const keyOf = ({ group, version, plural }: ResourceRef): string => `${group}/${version}/${plural}`
