// ResourceClaimTemplate: claims that are made anew for each pod.
import type { FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { checkAnnotations, checkLabels } from '../validation/names.ts'
import { checkImmutable } from '../validation/values.ts'
import { checkDeviceClaim, setClaimDefaults } from './device-claim.ts'
import { checkAdminAccess } from './resource-claim.ts'

export const resourceClaimTemplate = defineKind('resource.k8s.io/v1/resourceclaimtemplates', {
  returnsDeletedObject: true,
  tracksGeneration: false,
  setDefaults: ({ spec }) => {
    setClaimDefaults(spec?.spec?.devices)
  },
  validate: ({ metadata, spec }, context, old) => {
    const errors: FieldError[] = []
    if (old !== undefined) return errors
    checkLabels(errors, 'spec.labels', spec?.metadata?.labels)
    checkAnnotations(errors, 'spec.annotations', spec?.metadata?.annotations)
    const claim = spec?.spec?.devices
    checkDeviceClaim(errors, 'spec.spec.devices', claim ?? {}, context)
    checkAdminAccess(errors, 'spec.spec.devices', claim, { namespace: metadata.namespace, context })
    return errors
  },
  update: {
    validate: (object, old) => {
      const errors: FieldError[] = []
      checkImmutable(errors, 'spec', object.spec, old.spec)
      return errors
    },
  },
  columns: [nameColumn, ageColumn],
})
