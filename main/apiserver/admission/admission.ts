// Admission: the last word on a write. Plugins run in list order, first all that may change the object, later all that only judge.
// Synchronous as long as the plugins are: a write that no webhook, policy or quota concerns never waits here.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { ResourceName } from '../../../common/machinery/status.ts'
import type { Registry, WriteRequest } from '../registry/context.ts'
import type { ServedResource } from '../registry/served-resource.ts'

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

export interface AdmissionAttributes {
  readonly operation: Operation
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
  /** Asked once per resource; every resource when absent. */
  concerns?(resource: ResourceName): boolean
  /** Changes `attributes.object` in place; true when it did. Throws StatusError to refuse. */
  mutate?(attributes: AdmissionAttributes): boolean | Promise<boolean>
  /** Throws StatusError to refuse. */
  validate?(attributes: AdmissionAttributes): void | Promise<void>
}

interface Plugins {
  readonly mutating: readonly AdmissionPlugin[]
  readonly validating: readonly AdmissionPlugin[]
}

export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[]
  readonly #byResource = new WeakMap<ServedResource, Plugins>()

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins
  }

  /** True when the object was changed. */
  mutate(attributes: AdmissionAttributes): boolean | Promise<boolean> {
    const { mutating } = this.#of(attributes.resource)
    let changed = false
    for (const [index, plugin] of mutating.entries()) {
      const result = plugin.mutate?.(attributes)
      if (result instanceof Promise) return mutateOn(mutating, index + 1, attributes, changed, result)
      if (result === true) changed = true
    }
    return changed
  }

  validate(attributes: AdmissionAttributes): void | Promise<void> {
    const { validating } = this.#of(attributes.resource)
    for (const [index, plugin] of validating.entries()) {
      const result = plugin.validate?.(attributes)
      if (result instanceof Promise) return validateOn(validating, index + 1, attributes, result)
    }
  }

  #of(resource: ServedResource): Plugins {
    let plugins = this.#byResource.get(resource)
    if (plugins === undefined) {
      const concerned = this.#plugins.filter((plugin) => plugin.concerns?.(resource.name) ?? true)
      plugins = {
        mutating: concerned.filter((plugin) => plugin.mutate !== undefined),
        validating: concerned.filter((plugin) => plugin.validate !== undefined),
      }
      this.#byResource.set(resource, plugins)
    }
    return plugins
  }
}

async function mutateOn(
  plugins: readonly AdmissionPlugin[],
  next: number,
  attributes: AdmissionAttributes,
  before: boolean,
  pending: Promise<boolean>,
): Promise<boolean> {
  let changed = (await pending) || before
  for (const plugin of plugins.slice(next)) if ((await plugin.mutate?.(attributes)) === true) changed = true
  return changed
}

async function validateOn(
  plugins: readonly AdmissionPlugin[],
  next: number,
  attributes: AdmissionAttributes,
  pending: Promise<void>,
): Promise<void> {
  await pending
  for (const plugin of plugins.slice(next)) await plugin.validate?.(attributes)
}

/** For plugins about one kind of the core group. */
export const concernsCore =
  (...resources: readonly string[]) =>
  ({ group, resource }: ResourceName): boolean =>
    group === '' && resources.includes(resource)

export const concerns =
  (group: string, ...resources: readonly string[]) =>
  (name: ResourceName): boolean =>
    name.group === group && resources.includes(name.resource)

/** A create of the object itself, not of one of its subresources. */
export const isCreate = ({ operation, subresource }: AdmissionAttributes): boolean =>
  operation === 'CREATE' && subresource === ''
