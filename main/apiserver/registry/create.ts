// Create: the order of a write, for every kind: prepare -> default -> mutate -> allocate -> validate -> admit -> compare-and-swap.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import {
  alreadyExists,
  badRequest,
  invalid,
  methodNotAllowed,
  optimisticConflict,
  StatusError,
} from '../../../common/machinery/status.ts'
import type { WriteContext } from '../../kinds/kind.ts'
import type { AdmissionAttributes } from '../admission/admission.ts'
import { companionWrites } from './companions.ts'
import { newWriteContext, type Registry, type WriteRequest, readStored } from './context.ts'
import { fillSystemFields, validateMetadata } from './metadata.ts'
import { generateName } from '../../../common/machinery/random-name.ts'
import { trackFields } from './field-ownership.ts'
import { inTurn } from './in-turn.ts'
import { keyOf, type ServedResource } from './served-resource.ts'
import { encodeForStore, StoredObject } from './stored-object.ts'
import { translateStoreErrors } from './store-errors.ts'

const generateAttempts = 8

export interface CreateOptions {
  /** From the request path; "" for cluster-scoped resources. */
  readonly namespace: string
  /** Owned by the callee from here on. */
  readonly object: KubeObject
  readonly request: WriteRequest
  /** metadata.managedFields is already as it must be (server-side apply). */
  readonly fieldsAreTracked?: boolean
}

export async function createObject(
  registry: Registry,
  resource: ServedResource,
  options: CreateOptions,
): Promise<StoredObject> {
  const { object, request, namespace } = options
  const context = newWriteContext(registry, request, '')
  const { generateName: base } = object.metadata
  const generated = (object.metadata.name ?? '') === '' && base !== undefined && base !== ''
  const attempts = generated ? generateAttempts : 1
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    // Before the kind prepares the object: some kinds write the name into labels of theirs.
    if (generated) object.metadata.name = generateName(base)
    const result = await inTurn(resource, () => {
      prepareForCreate(resource, object, namespace, context)
      return createOnce(registry, resource, options, context)
    })
    if (result !== undefined) return result
  }
  if (!generated) throw taken(registry, resource, namespace, object.metadata.name ?? '')
  throw new StatusError({
    code: 409,
    reason: 'AlreadyExists',
    message: `${resource.name.resource} "${object.metadata.name ?? ''}" already exists, the server was not able to generate a unique name for the object`,
    details: {
      name: object.metadata.name ?? '',
      ...(resource.name.group === '' ? {} : { group: resource.name.group }),
      kind: resource.name.resource,
      retryAfterSeconds: 1,
    },
  })
}

function taken(registry: Registry, resource: ServedResource, namespace: string, name: string): StatusError {
  const error = alreadyExists(resource.name, name)
  const standing = readStored(registry, resource, namespace, name)
  if (standing?.object.metadata.deletionTimestamp !== undefined)
    error.status.message = `object is being deleted: ${error.message}`
  return error
}

function prepareForCreate(
  resource: ServedResource,
  object: KubeObject,
  namespace: string,
  context: WriteContext,
): void {
  const { kind } = resource
  const { metadata } = object
  if (resource.custom?.terminating === true)
    throw methodNotAllowed(
      resource.name,
      'create',
      'create not allowed while custom resource definition is terminating',
    )
  if ((metadata.resourceVersion ?? '') !== '')
    throw badRequest('resourceVersion should not be set on objects to be created')
  if (resource.namespaced) {
    if ((metadata.namespace ?? '') === '') metadata.namespace = namespace
    else if (metadata.namespace !== namespace)
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  } else delete metadata.namespace
  fillSystemFields(metadata, context.now)
  kind.prepareForCreate?.(object, context)
  if (resource.tracksGeneration) metadata.generation = 1
  else if (metadata.generation === 0 || kind.prepareForCreate === undefined) delete metadata.generation
  resource.custom?.setDefaults(object)
  kind.setDefaults?.(object, context)
}

/** Undefined when the name is taken. */
async function createOnce(
  registry: Registry,
  resource: ServedResource,
  options: CreateOptions,
  context: WriteContext,
): Promise<StoredObject | undefined> {
  const { object, request, namespace } = options
  const { kind } = resource
  const name = object.metadata.name ?? ''
  const attributes: AdmissionAttributes = {
    operation: 'CREATE',
    resource,
    resourceName: resource.name,
    subresource: '',
    namespace,
    name,
    object,
    old: undefined,
    request,
    registry,
  }
  // Before admission and allocation: what the server adds of its own belongs to nobody, so that appliers may leave it out.
  if (options.fieldsAreTracked !== true)
    trackFields(resource, object, undefined, { request, subresource: '', now: context.now })
  const mutated = registry.admission.mutate(attributes)
  if (mutated instanceof Promise ? await mutated : mutated) kind.setDefaults?.(object, context)
  const refused = kind.allocate?.(object, undefined, context)
  if (refused !== undefined && refused.length > 0) throw invalid({ group: kind.group, kind: kind.kind }, name, refused)

  const errors = validateMetadata(resource, object)
  if (resource.custom !== undefined) errors.push(...resource.custom.validate(object, undefined, request.warn))
  if (kind.validate !== undefined) errors.push(...kind.validate(object, context, undefined))
  if (errors.length > 0) throw invalid({ group: kind.group, kind: kind.kind }, name, errors)
  for (const warning of kind.warnings?.(object, undefined) ?? []) request.warn(warning)
  const validated = registry.admission.validate(attributes)
  if (validated !== undefined) await validated

  const key = keyOf(resource, namespace, name)
  const stored = toStoredForm(resource, object)
  const value = encodeForStore(stored instanceof Promise ? await stored : stored)
  if (request.dryRun) return registry.store.get(key) === undefined ? unsaved(resource, key, value, 0) : undefined
  const companions = companionWrites(registry, resource, { object, old: undefined }, context)
  const result = await translateStoreErrors(() =>
    registry.store.txn(
      [{ key, modRevision: 0 }, ...companions.compare],
      [{ put: key, value }, ...companions.operations],
    ),
  )
  if (!result.succeeded && result.current[0] === undefined) throw optimisticConflict(resource.name, name)
  return result.succeeded ? saved(registry, resource, key, value, result.revision, result.revision) : undefined
}

/** A promise where a webhook converts between versions. */
export function toStoredForm(resource: ServedResource, object: KubeObject): KubeObject | Promise<KubeObject> {
  if (resource.custom?.conversion !== undefined) return resource.custom.conversion.toStorage(object)
  if (resource.kind.storedAs !== undefined) return resource.kind.storedAs.toStored(object)
  object.apiVersion = resource.storedApiVersion
  return object
}

/** The object just written, preferably as the store's own entry so that its text is shared with every reader. */
export function saved(
  registry: Registry,
  resource: ServedResource,
  key: string,
  value: string,
  revision: number,
  createRevision: number,
): StoredObject {
  const entry = registry.store.get(key)
  if (entry?.modRevision === revision) return resource.codec.of(entry)
  return new StoredObject({ key, value, createRevision, modRevision: revision, version: 1 }, revision, resource.codec)
}

/** A dry run's result; revision 0 shows no resourceVersion. */
export function unsaved(resource: ServedResource, key: string, value: string, revision: number): StoredObject {
  return new StoredObject(
    { key, value, createRevision: revision, modRevision: revision, version: 1 },
    revision,
    resource.codec,
  )
}
