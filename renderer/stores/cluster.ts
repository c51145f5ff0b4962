// All live collections of the window, one per resource, started on first use.
import { defineStore } from 'pinia'
import { markRaw, onScopeDispose } from 'vue'
import { resources, type KubeObject, type ResourceRef } from '../api/index.ts'
import { createCollection, type Collection } from './collection.ts'

/** What the window always watches: the lab, the palette and the timeline need them wherever the person is. */
const always: readonly ResourceRef[] = [
  resources.labs,
  resources.machines,
  resources.nodes,
  resources.namespaces,
  resources.pods,
  resources.events,
  resources.deployments,
  resources.replicaSets,
  resources.services,
  resources.images,
]

export const useCluster = defineStore('cluster', () => {
  const collections = markRaw(new Map<string, Collection>())

  function collection<T extends KubeObject>(ref: ResourceRef<T>): Collection<T> {
    const key = `${ref.group}/${ref.plural}`
    let found = collections.get(key)
    if (found === undefined) {
      found = createCollection<T>(ref)
      collections.set(key, found)
    }
    return found as unknown as Collection<T>
  }

  function start(): void {
    for (const ref of always) collection(ref).acquire()
  }

  return { collection, start }
})

/** The collection of a resource, watched while the calling component lives. */
export function useCollection<T extends KubeObject>(ref: ResourceRef<T>): Collection<T> {
  const found = useCluster().collection(ref)
  found.acquire()
  onScopeDispose(() => {
    found.release()
  })
  return found
}
