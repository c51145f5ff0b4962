// Object metadata: what the server fills in, what clients may change, and how names, labels, annotations and owners are checked.
import { randomUUID } from 'node:crypto'
import { type FieldError, forbiddenField, invalidValue, required } from '../../../common/machinery/field-error.ts'
import type { KubeObject, ObjectMeta } from '../../../common/machinery/meta.ts'
import { validateName, validateQualifiedName } from '../../../common/machinery/names.ts'
import { validateAnnotations, validateLabels } from '../../../common/machinery/object-meta-validation.ts'
import type { ServedResource } from './served-resource.ts'
import { sameJson } from './same-json.ts'

/** Create: identity and times are the server's; what only deletion may set is dropped. */
export function fillSystemFields(metadata: ObjectMeta, now: string): void {
  metadata.uid = randomUUID()
  metadata.creationTimestamp = now
  delete metadata.resourceVersion
  delete metadata.selfLink
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  dropEmpty(metadata)
}

/** Update: what the client left out or may not change comes from the stored object. */
export function carryOverSystemFields(metadata: ObjectMeta, old: ObjectMeta): void {
  if ((metadata.uid ?? '') === '') setOrDelete(metadata, 'uid', old.uid)
  if (metadata.creationTimestamp === undefined || metadata.creationTimestamp === null)
    setOrDelete(metadata, 'creationTimestamp', old.creationTimestamp)
  // A deletion that has begun cannot be taken back.
  if (old.deletionTimestamp !== undefined) metadata.deletionTimestamp = old.deletionTimestamp
  if (old.deletionGracePeriodSeconds !== undefined && metadata.deletionGracePeriodSeconds === undefined) {
    metadata.deletionGracePeriodSeconds = old.deletionGracePeriodSeconds
  }
  setOrDelete(metadata, 'generation', old.generation)
  delete metadata.selfLink
  if (metadata.namespace === undefined || metadata.namespace === '') setOrDelete(metadata, 'namespace', old.namespace)
  dropEmpty(metadata)
}

function setOrDelete<K extends keyof ObjectMeta>(
  metadata: ObjectMeta,
  field: K,
  value: ObjectMeta[K] | undefined,
): void {
  if (value === undefined) Reflect.deleteProperty(metadata, field)
  else metadata[field] = value
}

/** Empty collections and nulls are the same as absent, as Go's omitempty writes them. */
function dropEmpty(metadata: ObjectMeta): void {
  for (const [field, value] of Object.entries(metadata) as [keyof ObjectMeta, unknown][]) {
    if (value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0))
      Reflect.deleteProperty(metadata, field)
  }
}

export function validateMetadata(resource: ServedResource, object: KubeObject): FieldError[] {
  const { metadata } = object
  const errors: FieldError[] = []
  const rule = resource.kind.nameRule ?? 'dns-subdomain'
  const name = metadata.name ?? ''
  if (metadata.generateName !== undefined) {
    for (const detail of validateName(rule, metadata.generateName, true))
      errors.push(invalidValue('metadata.generateName', metadata.generateName, detail))
  }
  if (name === '') errors.push(required('metadata.name', 'name or generateName is required'))
  else for (const detail of validateName(rule, name)) errors.push(invalidValue('metadata.name', name, detail))
  if (resource.namespaced) {
    if ((metadata.namespace ?? '') === '') errors.push(required('metadata.namespace'))
    else
      for (const detail of validateName('dns-label', metadata.namespace ?? ''))
        errors.push(invalidValue('metadata.namespace', metadata.namespace, detail))
  } else if (metadata.namespace !== undefined)
    errors.push(forbiddenField('metadata.namespace', 'not allowed on this type'))
  errors.push(...validateLabels(metadata.labels, 'metadata.labels'))
  errors.push(...validateAnnotations(metadata.annotations, 'metadata.annotations'))
  errors.push(...ownerErrors(metadata))
  errors.push(...finalizerErrors(metadata.finalizers ?? []))
  return errors
}

function ownerErrors(metadata: ObjectMeta): FieldError[] {
  const errors: FieldError[] = []
  let controller: string | undefined
  for (const [index, owner] of (metadata.ownerReferences ?? []).entries()) {
    const field = `metadata.ownerReferences[${String(index)}]`
    // Written by clients, so any of these may be missing whatever the type says.
    const { apiVersion, kind, name, uid } = owner as Partial<typeof owner>
    if ((apiVersion ?? '') === '')
      errors.push(invalidValue(`${field}.apiVersion`, apiVersion ?? '', 'version must not be empty'))
    if ((kind ?? '') === '') errors.push(invalidValue(`${field}.kind`, kind ?? '', 'must not be empty'))
    if ((name ?? '') === '') errors.push(invalidValue(`${field}.name`, name ?? '', 'must not be empty'))
    if ((uid ?? '') === '') errors.push(invalidValue(`${field}.uid`, uid ?? '', 'must not be empty'))
    if (owner.controller !== true) continue
    if (controller === undefined) controller = `${kind ?? ''}/${name ?? ''}`
    else {
      errors.push(
        invalidValue(
          'metadata.ownerReferences',
          owner,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${kind ?? ''}/${name ?? ''}`,
        ),
      )
    }
  }
  return errors
}

function finalizerErrors(finalizers: readonly string[]): FieldError[] {
  const errors = finalizers.flatMap((finalizer) =>
    validateQualifiedName(finalizer).map((detail) => invalidValue('metadata.finalizers', finalizer, detail)),
  )
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(
      invalidValue(
        'metadata.finalizers',
        finalizers,
        'finalizer orphan and finalizer foregroundDeletion cannot be both set',
      ),
    )
  }
  return errors
}

const immutableFields = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const

export function validateMetadataUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  const errors: FieldError[] = []
  for (const field of immutableFields) {
    if (!sameJson(object.metadata[field], old.metadata[field]))
      errors.push(invalidValue(`metadata.${field}`, object.metadata[field], 'field is immutable'))
  }
  if (old.metadata.deletionTimestamp !== undefined) {
    const before = new Set(old.metadata.finalizers ?? [])
    const added = (object.metadata.finalizers ?? []).filter((finalizer) => !before.has(finalizer))
    if (added.length > 0) {
      const listed = added.map((finalizer) => JSON.stringify(finalizer)).join(', ')
      errors.push(
        forbiddenField(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${listed}}`,
        ),
      )
    }
  }
  return errors
}
