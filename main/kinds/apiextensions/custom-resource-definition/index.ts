// CustomResourceDefinition: a kind that users bring. Accepting its names and serving it is the API server's work.
import type { CustomResourceDefinition } from '../../../../common/api/generated/types.ts'
import { defaultColumns } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { restore, statusDoor } from '../../strategy.ts'
import { checkDefinition, checkDefinitionUpdate } from './validation.ts'

export const customResourceDefinition = defineKind('apiextensions.k8s.io/v1/customresourcedefinitions', {
  allowUnconditionalUpdate: false,
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  prepareForCreate: (object) => {
    object.status = {}
    rememberStoredVersion(object)
  },
  setDefaults: (object) => {
    const { spec } = object
    object.status ??= {}
    object.status.acceptedNames ??= { plural: '', kind: '' }
    object.status.conditions ??= []
    object.status.storedVersions ??= []
    if (spec?.names !== undefined) {
      const { kind = '' } = spec.names
      if (kind !== '') {
        spec.names.singular ||= kind.toLowerCase()
        spec.names.listKind ||= `${kind}List`
      }
    }
    if (spec === undefined) return
    spec.conversion ??= { strategy: 'None' }
    const service = spec.conversion.webhook?.clientConfig?.service
    if (service !== undefined) service.port ??= 443
  },
  validate: checkDefinition,
  update: {
    prepare: (object, old) => {
      restore(object, old, 'status')
      rememberStoredVersion(object)
    },
    validate: checkDefinitionUpdate,
  },
  status: statusDoor({ keepMetadata: ['labels', 'annotations', 'ownerReferences'] }),
  columns: defaultColumns,
})

/** Every version that was ever the storage version stays listed, since objects in it may exist. */
function rememberStoredVersion(object: CustomResourceDefinition): void {
  object.status ??= {}
  const stored = object.status.storedVersions ?? []
  const current = object.spec?.versions?.find((version) => version.storage)?.name
  object.status.storedVersions = current === undefined || stored.includes(current) ? stored : [...stored, current]
}
