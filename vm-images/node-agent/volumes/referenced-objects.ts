// ConfigMaps and Secrets that pods of this node use, each watched by itself while in use: no list of all secrets, no polling.
import type { ConfigMap, Pod, Secret } from '../../../common/api/generated/types.ts'
import type { KubeClient, ResourceRef } from '../../../common/client/client.ts'
import { createInformer } from '../../../common/client/create-informer.ts'
import type { Informer } from '../../../common/client/informer.ts'
import { configMaps, secrets } from '../../../common/client/resources.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { allContainers } from '../pods/pod-containers.ts'

interface Watched<T extends KubeObject> {
  informer: Informer<T>
  /** Pod uids and whom to tell. */
  users: Map<string, () => void>
}

/** How long a pod waits for the first answer about an object before it tries again later. */
const firstAnswerMs = 10_000

/** Objects pods refer to; each is watched while a pod of this node uses it. */
export interface ReferencedObjects {
  /** Resolves to undefined when the object does not exist; rejects while the API cannot be reached and nothing is known. */
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>
  secret(namespace: string, name: string): Promise<Secret | undefined>
  /** Starts to watch what the pod refers to; `onChange` is called after each change of one of them. */
  hold(pod: Pod, onChange: () => void): void
  release(uid: string): void
}

export class WatchedObjects implements ReferencedObjects {
  readonly #options: { client: KubeClient; logger: Logger; clock: Clock }
  readonly #configMaps = new Map<string, Watched<ConfigMap>>()
  readonly #secrets = new Map<string, Watched<Secret>>()

  constructor(options: { client: KubeClient; logger: Logger; clock: Clock }) {
    this.#options = options
  }

  configMap(namespace: string, name: string): Promise<ConfigMap | undefined> {
    return this.#read(this.#configMaps, configMaps, namespace, name)
  }

  secret(namespace: string, name: string): Promise<Secret | undefined> {
    return this.#read(this.#secrets, secrets, namespace, name)
  }

  hold(pod: Pod, onChange: () => void): void {
    const { uid = '', namespace = '' } = pod.metadata
    const names = referencedNames(pod)
    for (const name of names.configMaps)
      this.#watch(this.#configMaps, configMaps, namespace, name).users.set(uid, onChange)
    for (const name of names.secrets) this.#watch(this.#secrets, secrets, namespace, name).users.set(uid, onChange)
  }

  release(uid: string): void {
    releaseFrom(this.#configMaps, uid)
    releaseFrom(this.#secrets, uid)
  }

  #watch<T extends KubeObject>(
    watched: Map<string, Watched<T>>,
    resource: ResourceRef<T>,
    namespace: string,
    name: string,
  ): Watched<T> {
    const key = `${namespace}/${name}`
    const present = watched.get(key)
    if (present !== undefined) return present
    const users = new Map<string, () => void>()
    const informer = createInformer({ ...this.#options, resource, namespace, fieldSelector: `metadata.name=${name}` })
    const tell = (): void => {
      for (const user of users.values()) user()
    }
    informer.subscribe({ onAdd: tell, onUpdate: tell, onDelete: tell })
    informer.start()
    const made = { informer, users }
    watched.set(key, made)
    return made
  }

  async #read<T extends KubeObject>(
    watched: Map<string, Watched<T>>,
    resource: ResourceRef<T>,
    namespace: string,
    name: string,
  ): Promise<T | undefined> {
    const known = watched.get(`${namespace}/${name}`)
    // Nobody holds it (a reference that only appears at run time): ask once.
    if (known === undefined) {
      const { items } = await this.#options.client.list(resource, { namespace, fieldSelector: `metadata.name=${name}` })
      return items[0]
    }
    if (!known.informer.hasSynced()) await this.#firstAnswer(known.informer, `${resource.plural} "${name}"`)
    return known.informer.get(`${namespace}/${name}`)
  }

  #firstAnswer(informer: Informer<KubeObject>, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#options.clock.after(firstAnswerMs, () => {
        const why = informer.problem === undefined ? '' : `: ${informer.problem.message}`
        reject(new Error(`failed to sync ${what} cache: timed out waiting for the condition${why}`))
      })
      informer.synced.then(
        () => {
          cancel()
          resolve()
        },
        (error: unknown) => {
          cancel()
          reject(error instanceof Error ? error : new Error(String(error)))
        },
      )
    })
  }
}

function releaseFrom<T extends KubeObject>(watched: Map<string, Watched<T>>, uid: string): void {
  for (const [key, { informer, users }] of watched) {
    if (!users.delete(uid) || users.size > 0) continue
    informer.stop()
    watched.delete(key)
  }
}

export function referencedNames(pod: Pod): { configMaps: Set<string>; secrets: Set<string> } {
  const names = { configMaps: new Set<string>(), secrets: new Set<string>() }
  const addTo = (set: Set<string>, name: string | undefined): void => {
    if (name !== undefined && name !== '') set.add(name)
  }
  for (const { configMap, secret, projected } of pod.spec?.volumes ?? []) {
    addTo(names.configMaps, configMap?.name)
    addTo(names.secrets, secret?.secretName)
    for (const source of projected?.sources ?? []) {
      addTo(names.configMaps, source.configMap?.name)
      addTo(names.secrets, source.secret?.name)
    }
  }
  for (const container of allContainers(pod)) {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      addTo(names.configMaps, configMapRef?.name)
      addTo(names.secrets, secretRef?.name)
    }
    for (const { valueFrom } of container.env ?? []) {
      addTo(names.configMaps, valueFrom?.configMapKeyRef?.name)
      addTo(names.secrets, valueFrom?.secretKeyRef?.name)
    }
  }
  return names
}
