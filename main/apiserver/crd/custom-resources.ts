// Serves what CustomResourceDefinitions define: accepts their names, keeps the table of served resources in step with them, and
// empties a definition's store before it may go.
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
} from '../../../common/api/generated/types.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { Watch } from '../../store/store.ts'
import type { UserInfo } from '../apiserver.ts'
import { lookupAll, type Registry, type WriteRequest } from '../registry/context.ts'
import { deleteCollection } from '../registry/delete.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import { updateObject } from '../registry/update.ts'
import type { WebhookClient } from '../webhooks/client.ts'
import { servedVersions, storageVersion } from './custom-kind.ts'
import { nameConflict } from './names.ts'

const group = 'apiextensions.k8s.io'
const plural = 'customresourcedefinitions'
const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'
const user: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }
const request: WriteRequest = { user, dryRun: false, fieldManager: 'apiextensions', warn: () => undefined }
/** Instances with finalizers of their own are looked at again after so long. */
const retryMs = 500

type Definition = KubeObject & CustomResourceDefinition

export class CustomResources {
  readonly #registry: Registry
  readonly #webhooks: WebhookClient
  readonly #served = new Map<string, { state: string; resources: readonly ServedResource[] }>()
  #watch: Watch | undefined
  #scheduled = false
  #running = false
  #again = false
  #closed = false
  #cancelRetry: (() => void) | undefined

  constructor(registry: Registry, webhooks: WebhookClient) {
    this.#registry = registry
    this.#webhooks = webhooks
    const resource = registry.resources.find(group, 'v1', plural)
    if (resource === undefined) return
    this.#serve(this.#definitions())
    this.#watch = registry.store.watch({
      prefix: resource.prefix,
      fromRevision: registry.store.revision + 1,
      onEvents: () => {
        this.#changed()
      },
    })
    this.#schedule()
  }

  close(): void {
    this.#closed = true
    this.#watch?.close()
    this.#cancelRetry?.()
  }

  #definitions(): Definition[] {
    return lookupAll(this.#registry, group, plural).map((stored) => stored.object as Definition)
  }

  #changed(): void {
    // At once, so that a client that has just seen Established finds its kind served.
    this.#serve(this.#definitions())
    this.#schedule()
  }

  #serve(definitions: readonly Definition[]): void {
    let changed = false
    const { revision } = this.#registry.store
    const names = new Set<string>()
    for (const definition of definitions) {
      const { name = '', uid = '', generation = 0 } = definition.metadata
      if (!isEstablished(definition)) continue
      names.add(name)
      // Status changes of a definition alter nothing about what is served.
      const state = `${uid}/${String(generation)}`
      if (this.#served.get(name)?.state === state) continue
      this.#served.set(name, { state, resources: servedVersions(definition, this.#webhooks, revision) })
      changed = true
    }
    for (const name of this.#served.keys()) {
      if (names.has(name)) continue
      this.#served.delete(name)
      changed = true
    }
    if (changed)
      this.#registry.resources.replaceCustom([...this.#served.values()].flatMap(({ resources }) => resources))
  }

  #schedule(): void {
    if (this.#running) this.#again = true
    if (this.#scheduled || this.#running || this.#closed) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      void this.#reconcile()
    })
  }

  async #reconcile(): Promise<void> {
    this.#running = true
    try {
      const definitions = this.#definitions()
      for (const definition of definitions) await this.#reconcileOne(definition, definitions)
    } catch (error) {
      if (!this.#closed) {
        this.#registry.logger.warn('custom resource definition could not be brought up to date', { error })
        this.#retry()
      }
    } finally {
      this.#running = false
      if (this.#again) {
        this.#again = false
        this.#schedule()
      }
    }
  }

  async #reconcileOne(definition: Definition, all: readonly Definition[]): Promise<void> {
    if (definition.metadata.deletionTimestamp !== undefined) {
      await this.#empty(definition)
      return
    }
    const conflict = nameConflict(definition, all)
    const wanted = conditionsFor(definition, conflict, formatTime(this.#registry.clock.now()))
    const accepted = conflict === undefined ? definition.spec.names : definition.status?.acceptedNames
    const finalizers = definition.metadata.finalizers ?? []
    const settled =
      finalizers.includes(cleanupFinalizer) &&
      JSON.stringify(wanted) === JSON.stringify(definition.status?.conditions ?? []) &&
      JSON.stringify(accepted) === JSON.stringify(definition.status?.acceptedNames)
    if (settled) return
    await this.#write(definition, (object) => {
      if (!finalizers.includes(cleanupFinalizer)) object.metadata.finalizers = [...finalizers, cleanupFinalizer]
      object.status = {
        ...object.status,
        conditions: wanted,
        ...(accepted === undefined ? {} : { acceptedNames: accepted }),
      }
    })
  }

  async #empty(definition: Definition): Promise<void> {
    if (!(definition.metadata.finalizers ?? []).includes(cleanupFinalizer)) return
    const resource = isEstablished(definition) ? storageVersion(definition, this.#webhooks) : undefined
    await this.#tellTerminating(definition)
    if (resource !== undefined) {
      const { entries } = this.#registry.store.range({ prefix: resource.prefix })
      await deleteCollection(
        this.#registry,
        resource,
        entries.map((entry) => resource.codec.of(entry)),
        {},
        request,
      )
      if (this.#registry.store.count(resource.prefix) > 0) {
        this.#retry()
        return
      }
    }
    await this.#write(definition, (object) => {
      object.metadata.finalizers = (object.metadata.finalizers ?? []).filter(
        (finalizer) => finalizer !== cleanupFinalizer,
      )
    })
  }

  /** Clients that wait for the definition to go can see what it waits for. */
  async #tellTerminating(definition: Definition): Promise<void> {
    if (definition.status?.conditions?.some(({ type }) => type === 'Terminating') === true) return
    const condition = {
      lastTransitionTime: formatTime(this.#registry.clock.now()),
      type: 'Terminating',
      status: 'True',
      reason: 'InstanceDeletionInProgress',
      message: 'CustomResource deletion is in progress',
    }
    await this.#write(definition, (object) => {
      object.status = { ...object.status, conditions: [...(object.status?.conditions ?? []), condition] }
    })
  }

  #retry(): void {
    this.#cancelRetry?.()
    this.#cancelRetry = this.#registry.clock.after(retryMs, () => {
      this.#schedule()
    })
  }

  async #write(definition: Definition, change: (object: Definition) => void): Promise<void> {
    const resource = this.#registry.resources.find(group, 'v1', plural)
    if (resource === undefined) return
    try {
      await updateObject(this.#registry, resource, {
        namespace: '',
        name: definition.metadata.name ?? '',
        subresource: 'status',
        strategy: undefined,
        change: (current) => {
          const copy = current.copy() as Definition
          change(copy)
          return copy
        },
        request,
      })
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }
}

const isEstablished = ({ status }: Definition): boolean =>
  (status?.conditions ?? []).some(({ type, status: value }) => type === 'Established' && value === 'True')

/** NamesAccepted and Established, keeping the times of conditions that have not changed. Established never goes back. */
function conditionsFor(
  definition: Definition,
  conflict: string | undefined,
  now: string,
): CustomResourceDefinitionCondition[] {
  const existing = definition.status?.conditions ?? []
  const keep = (
    condition: Omit<CustomResourceDefinitionCondition, 'lastTransitionTime'>,
  ): CustomResourceDefinitionCondition => {
    const old = existing.find(({ type }) => type === condition.type)
    return old?.status === condition.status && old.reason === condition.reason
      ? old
      : { lastTransitionTime: now, ...condition }
  }
  const accepted =
    conflict === undefined
      ? keep({ type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' })
      : keep({ type: 'NamesAccepted', status: 'False', reason: 'NamesConflict', message: conflict })
  const established =
    conflict === undefined || isEstablished(definition)
      ? keep({
          type: 'Established',
          status: 'True',
          reason: 'InitialNamesAccepted',
          message: 'the initial names have been accepted',
        })
      : keep({ type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' })
  const others = existing.filter(({ type }) => type !== 'NamesAccepted' && type !== 'Established')
  return [accepted, established, ...others]
}
