// Admission: the last word on a write. Plugins run in list order, first all that may change the object, later all that only judge.
// Synchronous as long as the plugins are: a write that no webhook, policy or quota concerns never waits here.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { ResourceName } from '../../../common/machinery/status.ts'
import type { Registry, WriteRequest } from '../registry/context.ts'
import type { DeletionRequest } from '../registry/deletion-request.ts'
import type { ServedResource } from '../registry/served-resource.ts'

import type { AdmissionMetrics } from './metrics.ts'

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

/** A type that is no stored resource's own: an Eviction, a Scale, the options of a stream. */
export interface ObjectType {
  /** Its name among the facts; absent for options, which are only ever written into a URL. */
  readonly definition?: string
  readonly apiVersion: string
  readonly kind: string
}

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
  /** What `object` and `old` are where they are not of the resource's own kind. */
  readonly objectType?: ObjectType
  /** Of a DELETE: how. */
  readonly deletion?: DeletionRequest
  readonly request: WriteRequest
  readonly registry: Registry
}

export interface AdmissionPlugin {
  readonly name: string
  /** Asked once per resource; every resource when absent. */
  concerns?(resource: ResourceName): boolean
  /** It is about CONNECT too (exec, attach, port-forward, proxies), whose object is the options of the stream. Default false. */
  readonly connects?: boolean
  /** Changes `attributes.object` in place. Throws StatusError to refuse. */
  mutate?(attributes: AdmissionAttributes): Mutation | Promise<Mutation>
  /** In place of `mutate` when all plugins look at the object once more. */
  mutateAgain?(attributes: AdmissionAttributes): Mutation | Promise<Mutation>
  /** Throws StatusError to refuse. */
  validate?(attributes: AdmissionAttributes): void | Promise<void>
}

/** True: the object was changed. "by-others": by the cluster's own programs, so that every plugin looks at it once more. */
export type Mutation = boolean | 'by-others'

interface Plugins {
  readonly mutating: readonly AdmissionPlugin[]
  readonly validating: readonly AdmissionPlugin[]
}

export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[]
  readonly #byResource = new WeakMap<ServedResource, Plugins>()
  readonly #connecting = new WeakMap<ServedResource, Plugins>()
  readonly #metrics: AdmissionMetrics

  constructor(plugins: readonly AdmissionPlugin[], metrics: AdmissionMetrics) {
    this.#plugins = plugins.map((plugin) => metrics.measured(plugin))
    this.#metrics = metrics
  }

  /** True when the object was changed. */
  mutate(attributes: AdmissionAttributes): boolean | Promise<boolean> {
    return this.#metrics.step('admit', attributes, this.#mutate)
  }

  validate(attributes: AdmissionAttributes): void | Promise<void> {
    return this.#metrics.step('validate', attributes, this.#validate)
  }

  readonly #mutate = (attributes: AdmissionAttributes): boolean | Promise<boolean> => {
    const { mutating } = this.#of(attributes)
    let result: Mutation = false
    for (const [index, plugin] of mutating.entries()) {
      const one = plugin.mutate?.(attributes) ?? false
      if (one instanceof Promise) return mutateOn(mutating, index + 1, attributes, result, one)
      result = both(result, one)
    }
    return result === 'by-others' ? mutateAgain(mutating, attributes) : result
  }

  readonly #validate = (attributes: AdmissionAttributes): void | Promise<void> => {
    const { validating } = this.#of(attributes)
    for (const [index, plugin] of validating.entries()) {
      const result = plugin.validate?.(attributes)
      if (result instanceof Promise) return validateOn(validating, index + 1, attributes, result)
    }
  }

  #of({ resource, operation }: AdmissionAttributes): Plugins {
    const cache = operation === 'CONNECT' ? this.#connecting : this.#byResource
    let plugins = cache.get(resource)
    if (plugins === undefined) {
      const concerned = this.#plugins.filter(
        (plugin) => (plugin.concerns?.(resource.name) ?? true) && (operation !== 'CONNECT' || plugin.connects === true),
      )
      plugins = {
        mutating: concerned.filter((plugin) => plugin.mutate !== undefined),
        validating: concerned.filter((plugin) => plugin.validate !== undefined),
      }
      cache.set(resource, plugins)
    }
    return plugins
  }
}

const both = (one: Mutation, other: Mutation): Mutation => (one === 'by-others' ? one : other === false ? one : other)

async function mutateOn(
  plugins: readonly AdmissionPlugin[],
  next: number,
  attributes: AdmissionAttributes,
  before: Mutation,
  pending: Promise<Mutation>,
): Promise<boolean> {
  let result = both(before, await pending)
  for (const plugin of plugins.slice(next)) result = both(result, (await plugin.mutate?.(attributes)) ?? false)
  return result === 'by-others' ? mutateAgain(plugins, attributes) : result
}

/** Once, however often the object changes then. */
async function mutateAgain(plugins: readonly AdmissionPlugin[], attributes: AdmissionAttributes): Promise<true> {
  for (const plugin of plugins) await (plugin.mutateAgain ?? plugin.mutate)?.call(plugin, attributes)
  return true
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
