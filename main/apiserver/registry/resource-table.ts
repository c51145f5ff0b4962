// All resources served right now: built-in kinds, fixed for the life of the server, and custom ones that come and go.
import type { ServedResource } from './served-resource.ts'

export class ResourceTable {
  readonly #builtIn = new Map<string, ServedResource>()
  readonly #custom = new Map<string, ServedResource>()
  readonly #byPlural = new Map<string, ServedResource>()
  readonly #listeners = new Set<() => void>()
  #generation = 1

  constructor(builtIn: readonly ServedResource[]) {
    for (const resource of builtIn)
      this.#builtIn.set(idOf(resource.kind.group, resource.kind.version, resource.kind.plural), resource)
    this.#index()
  }

  find(group: string, version: string, plural: string): ServedResource | undefined {
    const id = idOf(group, version, plural)
    return this.#builtIn.get(id) ?? this.#custom.get(id)
  }

  /** Any served version of a resource: storage is the same for all. */
  findAnyVersion(group: string, plural: string): ServedResource | undefined {
    return this.#byPlural.get(`${group}/${plural}`)
  }

  findKind(group: string, version: string, kind: string): ServedResource | undefined {
    return this.all().find(
      (resource) => resource.kind.kind === kind && resource.kind.group === group && resource.kind.version === version,
    )
  }

  /** Whether there is anything under this group and version. Linear: for requests that lead nowhere. */
  serves(group: string, version: string): boolean {
    return this.all().some(({ kind }) => kind.group === group && kind.version === version)
  }

  isBuiltInGroup(group: string): boolean {
    for (const resource of this.#builtIn.values()) if (resource.kind.group === group) return true
    return false
  }

  all(): ServedResource[] {
    return [...this.#builtIn.values(), ...this.#custom.values()]
  }

  /** Raised whenever the set of served resources changes (cache key of discovery and OpenAPI). */
  get generation(): number {
    return this.#generation
  }

  replaceCustom(resources: readonly ServedResource[]): void {
    this.#custom.clear()
    for (const resource of resources)
      this.#custom.set(idOf(resource.kind.group, resource.kind.version, resource.kind.plural), resource)
    this.#generation += 1
    this.#index()
    for (const listener of this.#listeners) listener()
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #index(): void {
    this.#byPlural.clear()
    for (const resource of this.all()) {
      const id = `${resource.kind.group}/${resource.kind.plural}`
      if (!this.#byPlural.has(id) || resource.kind.storedAs === undefined) this.#byPlural.set(id, resource)
    }
  }
}

const idOf = (group: string, version: string, plural: string): string => `${group}/${version}/${plural}`
