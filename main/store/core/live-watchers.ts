// Who wants to know of a change. Watchers are found by the key's own folders ("/registry/core/", "/registry/core/pods/", …) and by
// the whole key, so a thousand node agents that each watch a few objects cost a commit of something else nothing.
import type { StoreEvent, WatchOptions } from '../store.ts'

type Interest = Pick<WatchOptions, 'prefix' | 'exact'>

export interface Interested<W> {
  /** Safe to iterate while watchers come and go. */
  watchers: readonly W[]
  events: readonly StoreEvent[]
}

export const concerns = ({ prefix, exact }: Interest, key: string): boolean =>
  exact === true ? key === prefix : key.startsWith(prefix)

export class LiveWatchers<W extends { readonly options: Interest }> {
  readonly #byKey = new Map<string, Set<W>>()
  /** Prefixes that end with "/". */
  readonly #byFolder = new Map<string, Set<W>>()
  /** Any other prefix: tried against every key. */
  readonly #byStart = new Map<string, Set<W>>()

  add(watcher: W): void {
    const { prefix } = watcher.options
    const index = this.#indexOf(watcher)
    const group = index.get(prefix)
    if (group === undefined) index.set(prefix, new Set([watcher]))
    else group.add(watcher)
  }

  delete(watcher: W): void {
    const index = this.#indexOf(watcher)
    const group = index.get(watcher.options.prefix)
    if (group?.delete(watcher) === true && group.size === 0) index.delete(watcher.options.prefix)
  }

  /** Removes all and returns them. */
  clear(): W[] {
    const all: W[] = []
    for (const index of [this.#byKey, this.#byFolder, this.#byStart]) {
      for (const group of index.values()) all.push(...group)
      index.clear()
    }
    return all
  }

  /** Groups of watchers with the events that concern them, in order. */
  interestedIn(events: readonly StoreEvent[]): Iterable<Interested<W>> {
    const found = new Map<Set<W>, StoreEvent[]>()
    for (const event of events) {
      for (const group of this.#groupsOf(event.key)) {
        const list = found.get(group)
        if (list === undefined) found.set(group, [event])
        else list.push(event)
      }
    }
    return [...found].map(([group, concerning]) => ({ watchers: [...group], events: concerning }))
  }

  *#groupsOf(key: string): Generator<Set<W>> {
    const exact = this.#byKey.get(key)
    if (exact !== undefined) yield exact
    for (let slash = key.indexOf('/'); slash >= 0; slash = key.indexOf('/', slash + 1)) {
      const group = this.#byFolder.get(key.slice(0, slash + 1))
      if (group !== undefined) yield group
    }
    for (const [prefix, group] of this.#byStart) if (key.startsWith(prefix)) yield group
  }

  #indexOf({ options: { prefix, exact } }: W): Map<string, Set<W>> {
    if (exact === true) return this.#byKey
    return prefix.endsWith('/') ? this.#byFolder : this.#byStart
  }
}
