// Admission: the last word on a write. Plugins run in list order, first all that may change the object, later all that only judge.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { ResourceName } from '../../../common/machinery/status.ts'
import type { Registry, WriteRequest } from '../registry/context.ts'
import type { ServedResource } from '../registry/served-resource.ts'

export interface AdmissionAttributes {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  readonly resource: ServedResource
  readonly resourceName: ResourceName
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  /** The new object; for DELETE undefined. */
  readonly object: KubeObject | undefined
  readonly old: KubeObject | undefined
  readonly request: WriteRequest
  readonly registry: Registry
}

export interface AdmissionPlugin {
  readonly name: string
  /** Changes `attributes.object` in place; true when it did. Throws StatusError to refuse. */
  mutate?(attributes: AdmissionAttributes): boolean | Promise<boolean>
  /** Throws StatusError to refuse. */
  validate?(attributes: AdmissionAttributes): void | Promise<void>
}

export class AdmissionChain {
  readonly #mutating: readonly AdmissionPlugin[]
  readonly #validating: readonly AdmissionPlugin[]

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#mutating = plugins.filter((plugin) => plugin.mutate !== undefined)
    this.#validating = plugins.filter((plugin) => plugin.validate !== undefined)
  }

  /** True when the object was changed. Synchronous unless a plugin is not. */
  async mutate(attributes: AdmissionAttributes): Promise<boolean> {
    let changed = false
    for (const plugin of this.#mutating) {
      const result = plugin.mutate?.(attributes)
      if (result instanceof Promise ? await result : result) changed = true
    }
    return changed
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.#validating) {
      const result = plugin.validate?.(attributes)
      if (result instanceof Promise) await result
    }
  }
}
