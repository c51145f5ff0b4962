// One informer per resource for all controllers of a process.
import type { Clock } from '../machinery/clock.ts'
import type { Logger } from '../machinery/logger.ts'
import type { KubeObject } from '../machinery/meta.ts'
import type { KubeClient, ResourceRef } from './client.ts'
import type { IndexedInformer } from './create-informer.ts'
import { createInformer } from './create-informer.ts'
import type { Indexes } from './object-cache.ts'

export interface SharedInformers {
  /** The one informer of this resource, all namespaces, made and started on first use. Index names are shared: same name, same function. */
  of<T extends KubeObject>(resource: ResourceRef<T>, indexes?: Indexes<T>): IndexedInformer<T>
  /** Stops and forgets the informer of a resource that the server no longer has. */
  drop(resource: ResourceRef): void
  /** Every informer that cannot reach the API now. */
  problems(): { resource: string; error: Error }[]
  stop(): void
}

export function createSharedInformers(options: { client: KubeClient; logger: Logger; clock: Clock }): SharedInformers {
  const informers = new Map<string, { resource: string; informer: IndexedInformer<KubeObject> }>()
  let stopped = false
  return {
    of<T extends KubeObject>(resource: ResourceRef<T>, indexes?: Indexes<T>): IndexedInformer<T> {
      if (stopped) throw new Error('the shared informers were stopped')
      const key = keyOf(resource)
      const known = informers.get(key)
      // The key stands for the type: references of one resource carry the same T.
      let informer = known?.informer as IndexedInformer<T> | undefined
      if (informer === undefined) {
        informer = createInformer({ ...options, resource })
        informers.set(key, { resource: resource.plural, informer: informer })
        informer.start()
      }
      if (indexes !== undefined) informer.addIndexes(indexes)
      return informer
    },
    drop(resource) {
      informers.get(keyOf(resource))?.informer.stop()
      informers.delete(keyOf(resource))
    },
    problems: () =>
      [...informers.values()].flatMap(({ resource, informer }) =>
        informer.problem === undefined ? [] : [{ resource, error: informer.problem }],
      ),
    stop() {
      stopped = true
      for (const { informer } of informers.values()) informer.stop()
    },
  }
}

const keyOf = ({ group, version, plural }: Pick<ResourceRef, 'group' | 'version' | 'plural'>): string =>
  `${group}/${version}/${plural}`
