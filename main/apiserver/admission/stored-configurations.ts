// What is stored about admission (webhook configurations, policies, bindings), prepared once per change: writes that nothing is
// configured for pay for one comparison.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { lookupAll, type Registry } from '../registry/context.ts'

export class StoredConfigurations<T> {
  readonly #group: string
  readonly #plural: string
  readonly #prepare: (objects: readonly KubeObject[]) => readonly T[]
  #registry: Registry | undefined
  #prepared: readonly T[] | undefined

  constructor(group: string, plural: string, prepare: (objects: readonly KubeObject[]) => readonly T[]) {
    this.#group = group
    this.#plural = plural
    this.#prepare = prepare
  }

  /** In the order of their names. */
  get(registry: Registry): readonly T[] {
    if (this.#registry === undefined) this.#follow(registry)
    this.#prepared ??= this.#prepare(lookupAll(registry, this.#group, this.#plural).map(({ object }) => object))
    return this.#prepared
  }

  #follow(registry: Registry): void {
    this.#registry = registry
    const resource = registry.resources.findAnyVersion(this.#group, this.#plural)
    if (resource === undefined) {
      this.#prepared = []
      return
    }
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
