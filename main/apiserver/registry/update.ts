// Update: one loop for PUT, PATCH, status, scale and every other door that changes a stored object.
import { FieldError } from '../../../common/machinery/field-error.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { StoreEntry } from '../../store/store.ts'
import { conflict, invalid, notFound, optimisticConflict } from '../../../common/machinery/status.ts'
import type { UpdateStrategy } from '../../kinds/kind.ts'
import type { AdmissionAttributes, ObjectType } from '../admission/admission.ts'
import { companionWrites } from './companions.ts'
import { newWriteContext, type Registry, type WriteRequest } from './context.ts'
import { createObject, saved, toStoredForm, unsaved } from './create.ts'
import { carryOverSystemFields, validateMetadata, validateMetadataUpdate } from './metadata.ts'
import { sameJson } from './same-json.ts'
import { trackFields } from './field-ownership.ts'
import { inTurn } from './in-turn.ts'
import { keyOf, type ServedResource } from './served-resource.ts'
import { translateStoreErrors } from './store-errors.ts'
import { encodeForStore, type StoredObject } from './stored-object.ts'

/** How often a write that names no revision is tried again after losing a race. */
const unconditionalAttempts = 32

export interface UpdateOptions {
  readonly namespace: string
  readonly name: string
  /** "" for the main door. */
  readonly subresource: string
  readonly strategy: UpdateStrategy<KubeObject> | undefined
  /**
   * Makes the new object from the current one; called again when another write came first. `current` must not be changed
   * (use copy()). A returned metadata.resourceVersion that differs from the current one is a conflict.
   */
  readonly change: (current: StoredObject) => KubeObject | Promise<KubeObject>
  /** Given for PUT to kinds that may be created by it. */
  readonly createInstead?: () => Promise<KubeObject>
  /** What admission sees in place of the object (a Scale). */
  readonly view?: AdmissionView
  readonly request: WriteRequest
  /** metadata.managedFields is already as it must be (server-side apply). */
  readonly fieldsAreTracked?: boolean
  /** The change is none of desired state although it touches the spec (a binding). */
  readonly keepsGeneration?: boolean
}

export interface AdmissionView {
  readonly type: ObjectType
  /** Made new each time. */
  of(object: KubeObject): KubeObject
  /** Takes over what admission changed. */
  into(object: KubeObject, seen: KubeObject): void
}

export interface UpdateResult {
  readonly object: StoredObject
  readonly created: boolean
}

export async function updateObject(
  registry: Registry,
  resource: ServedResource,
  options: UpdateOptions,
): Promise<UpdateResult> {
  const key = keyOf(resource, options.namespace, options.name)
  let entry = registry.store.get(key)
  for (let attempt = 0; attempt < unconditionalAttempts; attempt += 1) {
    if (entry === undefined) {
      if (options.createInstead === undefined) throw notFound(resource.name, options.name)
      const object = await createObject(registry, resource, {
        namespace: options.namespace,
        object: await options.createInstead(),
        request: options.request,
        fieldsAreTracked: options.fieldsAreTracked === true,
      })
      return { object, created: true }
    }
    const served = asServed(resource, resource.codec.of(entry))
    const stored = served instanceof Promise ? await served : served
    const outcome = await inTurn(resource, () => updateOnce(registry, resource, options, stored, key))
    if (outcome.done) return { object: outcome.object, created: false }
    entry = outcome.newest
  }
  throw optimisticConflict(resource.name, options.name)
}

/** In the version of the request, also where a webhook has to make it so. */
function asServed({ custom }: ServedResource, stored: StoredObject): StoredObject | Promise<StoredObject> {
  if (custom?.conversion === undefined) return stored
  return custom.conversion.toServed([stored]).then(([converted = stored]) => converted)
}

/** As Go prints the revision that is not there. */
class MissingRevision extends FieldError {
  constructor() {
    super('FieldValueInvalid', 'metadata.resourceVersion', 0, 'must be specified for an update')
  }
  override body(): string {
    return `Invalid value: 0x0: ${this.detail}`
  }
}

/** Not done: another write came between, and `newest` is what it left (perhaps not durable yet, so not what a read would give). */
type Outcome = { done: true; object: StoredObject } | { done: false; newest: StoreEntry | undefined }

async function updateOnce(
  registry: Registry,
  resource: ServedResource,
  options: UpdateOptions,
  current: StoredObject,
  key: string,
): Promise<Outcome> {
  const { kind } = resource
  const { request, strategy, subresource, namespace, name } = options
  const context = newWriteContext(registry, request, subresource)
  const old = current.object
  const object = await options.change(current)
  const { metadata } = object
  if (metadata.uid !== undefined && metadata.uid !== '' && metadata.uid !== old.metadata.uid) {
    throw conflict(
      resource.name,
      name,
      `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${old.metadata.uid ?? ''}`,
    )
  }
  // "0" names no revision either.
  const wanted = metadata.resourceVersion === '0' ? '' : (metadata.resourceVersion ?? '')
  if (wanted !== '' && wanted !== String(current.revision)) throw optimisticConflict(resource.name, name)
  if (wanted === '' && kind.allowUnconditionalUpdate === false)
    throw invalid({ group: kind.group, kind: kind.kind }, name, [new MissingRevision()])

  carryOverSystemFields(metadata, old.metadata)
  strategy?.prepare?.(object, old, context)
  resource.custom?.setDefaults(object)
  kind.setDefaults?.(object, context)
  // Left out means unchanged; an explicit [{}] is how a client clears them.
  metadata.managedFields ??= old.metadata.managedFields
  // Before admission and allocation: what the server adds of its own belongs to nobody, so that appliers may leave it out.
  if (options.fieldsAreTracked !== true && !isSameAs(object, old))
    trackFields(resource, object, old, { request, subresource, now: context.now })
  const attributes: AdmissionAttributes = {
    operation: 'UPDATE',
    resource,
    resourceName: resource.name,
    subresource,
    namespace,
    name,
    object,
    old,
    ...viewed(options.view, object, old),
    request,
    registry,
  }
  if (request.admitted !== true) {
    const mutated = registry.admission.mutate(attributes)
    if (mutated instanceof Promise ? await mutated : mutated) {
      if (attributes.object !== undefined) options.view?.into(object, attributes.object)
      kind.setDefaults?.(object, context)
    }
  }
  const refused = subresource === '' ? kind.allocate?.(object, old, context) : undefined
  if (refused !== undefined && refused.length > 0) throw invalid({ group: kind.group, kind: kind.kind }, name, refused)
  if (options.keepsGeneration !== true) raiseGeneration(resource, object, old)

  const errors = [...validateMetadata(resource, object), ...validateMetadataUpdate(object, old)]
  if (resource.custom !== undefined) errors.push(...resource.custom.validate(object, old, request.warn))
  if (kind.validate !== undefined && subresource !== 'status') errors.push(...kind.validate(object, context, old))
  if (strategy?.validate !== undefined) errors.push(...strategy.validate(object, old, context))
  if (errors.length > 0) throw invalid({ group: kind.group, kind: kind.kind }, name, errors)
  for (const warning of kind.warnings?.(object, old) ?? []) request.warn(warning)
  if (request.admitted !== true) {
    const validated = registry.admission.validate(attributes)
    if (validated !== undefined) await validated
  }

  if (!current.isOutdated && isSameAs(object, old)) return { done: true, object: current }
  const stored = toStoredForm(resource, object)
  const value = encodeForStore(stored instanceof Promise ? await stored : stored)
  if (request.dryRun) return { done: true, object: unsaved(resource, key, value, current.revision) }
  const finished = isFinishedDeletion(resource, object)
  const companions = companionWrites(registry, resource, { object: finished ? undefined : object, old }, context)
  const result = await translateStoreErrors(() =>
    registry.store.txn(
      [{ key, modRevision: current.revision }, ...companions.compare],
      [finished ? { delete: key } : { put: key, value }, ...companions.operations],
    ),
  )
  if (!result.succeeded) return { done: false, newest: result.current[0] }
  if (finished) return { done: true, object: unsaved(resource, key, value, result.revision) }
  return { done: true, object: saved(registry, resource, key, value, result.revision, current.entry.createRevision) }
}

const viewed = (
  view: AdmissionView | undefined,
  object: KubeObject,
  old: KubeObject,
): Pick<AdmissionAttributes, 'object' | 'old' | 'objectType'> | undefined =>
  view && { object: view.of(object), old: view.of(old), objectType: view.type }

/** A write that changes nothing makes no revision, whatever the order of its keys. */
function isSameAs(object: KubeObject, old: KubeObject): boolean {
  return sameJson(
    { ...object, apiVersion: '', metadata: { ...object.metadata, resourceVersion: old.metadata.resourceVersion } },
    { ...old, apiVersion: '' },
  )
}

/** A deletion that waited for finalizers is carried out by the write that removes the last one. */
export function isFinishedDeletion(resource: ServedResource, object: KubeObject): boolean {
  const { metadata } = object
  return (
    metadata.deletionTimestamp !== undefined &&
    (metadata.finalizers ?? []).length === 0 &&
    (metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
    resource.kind.deletionBlocked?.(object) !== true
  )
}

function raiseGeneration(resource: ServedResource, object: KubeObject, old: KubeObject): void {
  if (!resource.tracksGeneration) return
  const before = old.metadata.generation ?? 0
  object.metadata.generation = sameDesiredState(object, old) ? before : before + 1
}

/** Whether everything but metadata and status is equal (in content, not key order). */
function sameDesiredState(a: KubeObject, b: KubeObject): boolean {
  const left = a as unknown as Record<string, unknown>
  const right = b as unknown as Record<string, unknown>
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (key === 'metadata' || key === 'status' || key === 'kind' || key === 'apiVersion') continue
    if (!sameJson(left[key], right[key])) return false
  }
  return true
}
