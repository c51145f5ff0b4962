// What is stored about admission (webhook configurations, policies, bindings, limits), prepared once per change: writes that nothing
// is configured for pay for one comparison.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { lookupAll, type Registry } from '../registry/context.ts'

export class StoredConfigurations<T> {
  readonly #group: string
  readonly #plural: string
  readonly #prepare: (objects: readonly KubeObject[]) => T
  #registry: Registry | undefined
  #prepared: T | undefined

  constructor(group: string, plural: string, prepare: (objects: readonly KubeObject[]) => T) {
    this.#group = group
    this.#plural = plural
    this.#prepare = prepare
  }

  /** Prepared from the objects in the order of their names. */
  get(registry: Registry): T {
    if (this.#registry === undefined) this.#follow(registry)
    this.#prepared ??= this.#prepare(lookupAll(registry, this.#group, this.#plural).map(({ object }) => object))
    return this.#prepared
  }

  #follow(registry: Registry): void {
    this.#registry = registry
    const resource = registry.resources.findAnyVersion(this.#group, this.#plural)
    // A control plane composed without the kind has nothing stored of it.
    if (resource === undefined) return
    // Ends with the store.
    registry.store.watch({
      prefix: resource.prefix,
      fromRevision: registry.store.revision + 1,
      onEvents: () => {
        this.#prepared = undefined
      },
    })
  }
}

/** For kinds that count within their namespace. */
export function byNamespace(objects: readonly KubeObject[]): ReadonlyMap<string, readonly KubeObject[]> {
  const found = new Map<string, KubeObject[]>()
  for (const object of objects) {
    const { namespace = '' } = object.metadata
    const list = found.get(namespace)
    if (list === undefined) found.set(namespace, [object])
    else list.push(object)
  }
  return found
}
