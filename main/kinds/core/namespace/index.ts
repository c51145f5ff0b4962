// Namespace: deletion first turns it Terminating; it goes away when the namespace controller has emptied it and removed the
// "kubernetes" finalizer through the finalize subresource.
import type { Namespace } from '../../../../common/api/generated/types.ts'
import { invalidValue, type FieldError } from '../../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { restore, statusDoor } from '../../strategy.ts'
import { checkName, isQualifiedName } from '../../validation/names.ts'

export const namespace = defineKind('v1/namespaces', {
  shortNames: ['ns'],
  nameRule: 'dns-label',
  tracksGeneration: false,
  prepareForCreate: (object) => {
    object.status = { phase: 'Active' }
    const finalizers = object.spec?.finalizers ?? []
    object.spec = {
      ...object.spec,
      finalizers: finalizers.includes('kubernetes') ? finalizers : [...finalizers, 'kubernetes'],
    }
  },
  setDefaults: (object) => {
    const { name = '' } = object.metadata
    if (name !== '') object.metadata.labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': name }
    object.spec ??= {}
    object.status ??= {}
    object.status.phase ||= 'Active'
  },
  validate,
  update: {
    prepare: (object, old) => {
      restore(object, old, 'spec')
      restore(object, old, 'status')
    },
  },
  status: statusDoor({ validate: validateStatus }),
  subresources: {
    /** Only spec.finalizers; the last one gone lets a deleted namespace go. */
    finalize: {
      door: 'update',
      strategy: {
        prepare: (object, old) => {
          restore(object, old, 'status')
          restore(object.metadata, old.metadata, 'finalizers')
        },
      },
    },
  },
  selectableFields: ({ status }) => ({ 'status.phase': status?.phase ?? '' }),
  columns: [
    nameColumn,
    {
      name: 'Status',
      type: 'string',
      description: 'The status of the namespace',
      cell: ({ status }) => status?.phase ?? '',
    },
    ageColumn,
  ],
  beginDelete: (object) => {
    object.status = { ...object.status, phase: 'Terminating' }
  },
  deletionBlocked: ({ spec }) => (spec?.finalizers ?? []).length > 0,
})

function validate({ spec }: Namespace): FieldError[] {
  const errors: FieldError[] = []
  spec?.finalizers?.forEach((finalizer, index) => {
    const path = `spec.finalizers[${String(index)}]`
    checkName(errors, path, finalizer, isQualifiedName)
    if (!finalizer.includes('/') && finalizer !== 'kubernetes') {
      errors.push(invalidValue(path, finalizer, 'name is neither a standard finalizer name nor is it fully qualified'))
    }
  })
  return errors
}

function validateStatus({ metadata, status }: Namespace): FieldError[] {
  const terminating = status?.phase === 'Terminating'
  if (metadata.deletionTimestamp === undefined && terminating) {
    return [invalidValue('status.Phase', status.phase, "may only be 'Active' if `deletionTimestamp` is empty")]
  }
  if (metadata.deletionTimestamp !== undefined && !terminating) {
    return [
      invalidValue('status.Phase', status?.phase, "may only be 'Terminating' if `deletionTimestamp` is not empty"),
    ]
  }
  return []
}
