// A live collection for the screens: an informer whose events are folded in once per animation frame.
import { computed, shallowRef, triggerRef, type ComputedRef, type ShallowRef } from 'vue'
import type { Informer } from '../../common/client/informer.ts'
import { formatApiVersion, objectKey } from '../../common/machinery/meta.ts'
import { liveCollection, type KubeObject, type ResourceRef } from '../api/index.ts'
import { schedule } from './frame.ts'

export type CollectionState = { phase: 'loading' } | { phase: 'ready' } | { phase: 'failed'; error: Error }

export interface Collection<T extends KubeObject = KubeObject> {
  readonly resource: ResourceRef<T>
  /** Keyed "namespace/name" or "name". Changes are announced once per frame; never mutate. */
  readonly objects: Readonly<ShallowRef<ReadonlyMap<string, T>>>
  readonly list: ComputedRef<readonly T[]>
  readonly byUid: ComputedRef<ReadonlyMap<string, T>>
  /** Loading until the first complete list; failed while the API refuses it (kind not served, forbidden) or cannot be reached. */
  readonly state: Readonly<ShallowRef<CollectionState>>
  acquire(): void
  release(): void
}

/** The watch outlives its last screen a little, so that going back is instant. */
const lingerMs = 20_000
const problemPollMs = 500

export function createCollection<T extends KubeObject>(resource: ResourceRef<T>): Collection<T> {
  const map = new Map<string, T>()
  const objects = shallowRef<ReadonlyMap<string, T>>(map)
  const state = shallowRef<CollectionState>({ phase: 'loading' })
  const type = { apiVersion: formatApiVersion(resource.group, resource.version), kind: resource.kind }
  const pending = new Map<string, T | undefined>()
  let informer: Informer<T> | undefined
  let holders = 0
  let linger: ReturnType<typeof setTimeout> | undefined
  let watchdog: ReturnType<typeof setInterval> | undefined

  const fold = (): void => {
    if (pending.size === 0) return
    for (const [key, object] of pending) {
      if (object === undefined) map.delete(key)
      else map.set(key, object)
    }
    pending.clear()
    triggerRef(objects)
  }
  const put = (object: T): void => {
    // Items of a list come without their type.
    const typed = object.kind === undefined ? { ...object, ...type } : object
    pending.set(objectKey(object), typed)
    schedule(fold)
  }

  const begin = (): void => {
    const current = liveCollection(resource)
    informer = current
    current.subscribe({
      onAdd: put,
      onUpdate: put,
      onDelete: (object) => {
        pending.set(objectKey(object), undefined)
        schedule(fold)
      },
    })
    current.start()
    current.synced.then(
      () => {
        if (informer !== current) return
        fold()
        clearInterval(watchdog)
        state.value = { phase: 'ready' }
      },
      () => undefined,
    )
    // The informer retries by itself; that its first list is refused must still be told to the person.
    watchdog = setInterval(() => {
      const { problem } = current
      const shown = state.value
      if (problem !== undefined && !(shown.phase === 'failed' && shown.error === problem))
        state.value = { phase: 'failed', error: problem }
    }, problemPollMs)
  }
  const end = (): void => {
    informer?.stop()
    informer = undefined
    clearInterval(watchdog)
    pending.clear()
    map.clear()
    triggerRef(objects)
    state.value = { phase: 'loading' }
  }

  return {
    resource,
    objects,
    list: computed(() => [...objects.value.values()]),
    byUid: computed(() => new Map([...objects.value.values()].map((object) => [object.metadata.uid ?? '', object]))),
    state,
    acquire: () => {
      holders += 1
      clearTimeout(linger)
      if (informer === undefined) begin()
    },
    release: () => {
      holders -= 1
      if (holders === 0) linger = setTimeout(end, lingerMs)
    },
  }
}
