// Which subresources a resource has: those its kind declares, and the actions known by name. One line per action.
import type { ServedResource } from '../registry/served-resource.ts'
import { componentStatuses } from './component-status.ts'
import { bindings, podBinding } from './pod-binding.ts'
import { podEviction } from './pod-eviction.ts'
import { scaleSubresource } from './scale.ts'
import type { Subresource, VirtualKind } from './subresource.ts'
import { updateDoor } from './update-door.ts'

/** By "group/plural/subresource". */
export type Actions = ReadonlyMap<string, Subresource>

export const builtInActions: readonly (readonly [string, Subresource])[] = [
  ['/pods/binding', podBinding],
  ['/pods/eviction', podEviction],
]

/** Kinds that are answered and never stored, by "group/plural". */
export const builtInVirtualKinds: readonly (readonly [string, VirtualKind])[] = [
  ['/bindings', bindings],
  ['/componentstatuses', componentStatuses],
]

export class SubresourceTable {
  readonly #actions: Actions
  readonly #cache = new WeakMap<ServedResource, ReadonlyMap<string, Subresource>>()

  readonly #virtual: ReadonlyMap<string, VirtualKind>

  /** `virtual`: kinds that are answered and never stored, by "group/plural". */
  constructor(actions: Iterable<readonly [string, Subresource]>, virtual: Iterable<readonly [string, VirtualKind]>) {
    this.#actions = new Map(actions)
    this.#virtual = new Map(virtual)
  }

  virtual(resource: ServedResource): VirtualKind | undefined {
    return this.#virtual.get(`${resource.kind.group}/${resource.kind.plural}`)
  }

  find(resource: ServedResource, name: string): Subresource | undefined {
    return this.of(resource).get(name)
  }

  of(resource: ServedResource): ReadonlyMap<string, Subresource> {
    let found = this.#cache.get(resource)
    if (found === undefined) {
      found = this.#collect(resource)
      this.#cache.set(resource, found)
    }
    return found
  }

  #collect(resource: ServedResource): ReadonlyMap<string, Subresource> {
    const { kind } = resource
    const found = new Map<string, Subresource>()
    if (kind.status !== undefined) found.set('status', updateDoor(resource, 'status', kind.status))
    if (kind.scale !== undefined) found.set('scale', scaleSubresource(kind.scale))
    for (const [name, { strategy }] of Object.entries(kind.subresources ?? {})) {
      found.set(name, updateDoor(resource, name, strategy, name === 'finalize' ? ['update'] : undefined))
    }
    const prefix = `${kind.group}/${kind.plural}/`
    for (const [path, action] of this.#actions)
      if (path.startsWith(prefix)) found.set(path.slice(prefix.length), action)
    return found
  }
}
