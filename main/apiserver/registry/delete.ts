// Delete: preconditions, grace, finalizers by propagation policy; the object goes at once only when nothing is to wait for.
import { formatTime } from '../../../common/machinery/clock.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { conflict, invalid, notFound, StatusError } from '../../../common/machinery/status.ts'
import { invalidValue } from '../../../common/machinery/field-error.ts'
import type { StoreEntry } from '../../store/store.ts'
import type { AdmissionAttributes } from '../admission/admission.ts'
import { companionWrites } from './companions.ts'
import { newWriteContext, type Registry, type WriteRequest } from './context.ts'
import { saved, toStoredForm, unsaved } from './create.ts'
import type { DeletionRequest } from './deletion-request.ts'
import { keyOf, type ServedResource } from './served-resource.ts'
import { translateStoreErrors } from './store-errors.ts'
import { encodeForStore, type StoredObject } from './stored-object.ts'

export interface DeletionResult {
  /** The last state of the object, or its state while the deletion waits. */
  readonly object: StoredObject
  /** False: it waits for its grace period or its finalizers. */
  readonly gone: boolean
}

const attempts = 32

export async function deleteObject(
  registry: Registry,
  resource: ServedResource,
  target: { readonly namespace: string; readonly name: string },
  deletion: DeletionRequest,
  request: WriteRequest,
): Promise<DeletionResult> {
  const key = keyOf(resource, target.namespace, target.name)
  let entry = registry.store.get(key)
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    if (entry === undefined) throw notFound(resource.name, target.name)
    const outcome = await deleteOnce(registry, resource, entry, deletion, request)
    if ('gone' in outcome) return outcome
    entry = outcome.newest
  }
  throw conflict(
    resource.name,
    target.name,
    'the object has been modified; please apply your changes to the latest version and try again',
  )
}

async function deleteOnce(
  registry: Registry,
  resource: ServedResource,
  entry: StoreEntry,
  deletion: DeletionRequest,
  request: WriteRequest,
): Promise<DeletionResult | { newest: StoreEntry | undefined }> {
  const current = resource.codec.of(entry)
  const old = current.object
  const name = old.metadata.name ?? ''
  checkPreconditions(resource, current, deletion.preconditions)
  const attributes: AdmissionAttributes = {
    operation: 'DELETE',
    resource,
    resourceName: resource.name,
    subresource: '',
    namespace: old.metadata.namespace ?? '',
    name,
    object: undefined,
    old,
    deletion,
    request,
    registry,
  }
  if (request.admitted !== true) {
    const mutated = registry.admission.mutate(attributes)
    if (mutated instanceof Promise) await mutated
    const validated = registry.admission.validate(attributes)
    if (validated !== undefined) await validated
  }
  const object = current.copy()
  const decision = decide(registry, resource, object, old, deletion, request)
  if (decision === 'pending') return { object: current, gone: false }
  const { key } = entry
  const compare = [{ key, modRevision: entry.modRevision }]
  if (decision === 'now') {
    if (request.dryRun) return { object: current, gone: true }
    const context = newWriteContext(registry, request, '')
    const companions = companionWrites(registry, resource, { object: undefined, old }, context)
    const result = await translateStoreErrors(() =>
      registry.store.txn([...compare, ...companions.compare], [{ delete: key }, ...companions.operations]),
    )
    return result.succeeded
      ? { object: resource.codec.gone(entry, result.revision), gone: true }
      : { newest: result.current[0] }
  }
  const value = encodeForStore(markedForm(resource, object, entry))
  if (request.dryRun) return { object: unsaved(resource, key, value, current.revision), gone: false }
  const result = await translateStoreErrors(() => registry.store.txn(compare, [{ put: key, value }]))
  if (!result.succeeded) return { newest: result.current[0] }
  return { object: saved(registry, resource, key, value, result.revision, entry.createRevision), gone: false }
}

/** An object that waits for its end stays in the version in which it is stored. */
function markedForm(resource: ServedResource, object: KubeObject, entry: StoreEntry): KubeObject {
  const stored = resource.custom?.conversion === undefined ? toStoredForm(resource, object) : undefined
  if (stored !== undefined && !(stored instanceof Promise)) return stored
  return { ...object, apiVersion: (JSON.parse(entry.value) as KubeObject).apiVersion }
}

/** Throws 409. */
export function checkPreconditions(
  resource: ServedResource,
  current: StoredObject,
  preconditions: DeletionRequest['preconditions'],
): void {
  const { uid, resourceVersion } = preconditions ?? {}
  const { metadata } = current.object
  // Upstream names the kind where other conflicts name the resource.
  const named = { group: resource.kind.group, resource: resource.kind.kind }
  if (uid !== undefined && uid !== metadata.uid) {
    throw conflict(
      named,
      metadata.name ?? '',
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid ?? ''}). The object might have been deleted and then recreated`,
    )
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw conflict(
      named,
      metadata.name ?? '',
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion ?? ''}). The object might have been modified`,
    )
  }
}

/**
 * Marks `object` (a copy of `old`) as far as the deletion goes now. "now": nothing holds it. "mark": store the marked object.
 * "pending": the deletion had begun before and this request changes nothing.
 */
function decide(
  registry: Registry,
  resource: ServedResource,
  object: KubeObject,
  old: KubeObject,
  deletion: DeletionRequest,
  request: WriteRequest,
): 'now' | 'mark' | 'pending' {
  const { kind } = resource
  const { metadata } = object
  if (deletion.gracePeriodSeconds !== undefined && deletion.gracePeriodSeconds < 0) {
    throw invalid({ group: kind.group, kind: kind.kind }, metadata.name ?? '', [
      invalidValue('gracePeriodSeconds', deletion.gracePeriodSeconds, 'must be greater than or equal to 0'),
    ])
  }
  let changed = false
  const finalizers = finalizersFor(resource, metadata.finalizers ?? [], deletion)
  if (finalizers.join() !== (metadata.finalizers ?? []).join()) {
    if (finalizers.length === 0) delete metadata.finalizers
    else metadata.finalizers = finalizers
    changed = true
  }
  const grace = Math.max(0, kind.gracePeriodSeconds?.(old, deletion.gracePeriodSeconds) ?? 0)
  if (metadata.deletionTimestamp === undefined) {
    kind.beginDelete?.(object, newWriteContext(registry, request, ''))
    const held = finalizers.length > 0 || kind.deletionBlocked?.(object) === true
    if (grace === 0 && !held) return 'now'
    metadata.deletionTimestamp = formatTime(registry.clock.now() + grace * 1000)
    metadata.deletionGracePeriodSeconds = grace
    if (metadata.generation !== undefined && metadata.generation > 0) metadata.generation += 1
    return 'mark'
  }
  // Already being deleted: a later request can only shorten the wait.
  const before = metadata.deletionGracePeriodSeconds ?? 0
  const held = finalizers.length > 0 || kind.deletionBlocked?.(object) === true
  if (deletion.gracePeriodSeconds !== undefined && grace < before) {
    const began = Date.parse(metadata.deletionTimestamp) - before * 1000
    metadata.deletionTimestamp = formatTime(began + grace * 1000)
    metadata.deletionGracePeriodSeconds = grace
    changed = true
  }
  const remaining = metadata.deletionGracePeriodSeconds ?? 0
  if (remaining === 0 && !held) return 'now'
  return changed ? 'mark' : 'pending'
}

/** The garbage collector's finalizers follow the policy that is asked for; everything else stays. */
function finalizersFor(resource: ServedResource, current: readonly string[], deletion: DeletionRequest): string[] {
  const others = current.filter((finalizer) => finalizer !== 'orphan' && finalizer !== 'foregroundDeletion')
  switch (deletion.propagationPolicy) {
    case 'Orphan':
      return [...others, 'orphan']
    case 'Foreground':
      return [...others, 'foregroundDeletion']
    case 'Background':
      return others
    case undefined:
      // What the object already carries decides, then the kind's own habit.
      if (others.length !== current.length) return [...current]
      return resource.kind.defaultPropagation === 'Orphan' ? [...others, 'orphan'] : others
  }
}

/** The answer to a delete that removed the object, for kinds that do not return the object itself. */
export function deletedStatus(resource: ServedResource, object: KubeObject): object {
  const { group } = resource.kind
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: object.metadata.name,
      ...(group === '' ? {} : { group }),
      kind: resource.kind.plural,
      uid: object.metadata.uid,
    },
  }
}

/** Deletes every object in turn; those that vanish meanwhile count as deleted. */
export async function deleteCollection(
  registry: Registry,
  resource: ServedResource,
  objects: readonly StoredObject[],
  deletion: DeletionRequest,
  request: WriteRequest,
): Promise<void> {
  const batch = 16
  for (let start = 0; start < objects.length; start += batch) {
    await Promise.all(
      objects.slice(start, start + batch).map(async (stored) => {
        const { namespace = '', name = '' } = stored.object.metadata
        try {
          await deleteObject(registry, resource, { namespace, name }, deletion, request)
        } catch (error) {
          if (!(error instanceof StatusError && error.code === 404)) throw error
        }
      }),
    )
  }
}
