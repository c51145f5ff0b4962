// DeviceClass: a sort of device that claims ask for by name.
import { invalidValue, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { semanticEqual } from '../equality.ts'
import { defineKind } from '../kind.ts'
import { checkList } from '../validation/collections.ts'
import { isExtendedResource } from '../validation/resource-names.ts'
import { checkConfiguration, checkSelectors, maxConfigs } from './device-claim.ts'

export const deviceClass = defineKind('resource.k8s.io/v1/deviceclasses', {
  returnsDeletedObject: true,
  validate: ({ spec }, context, old) => {
    const errors: FieldError[] = []
    const { selectors, config, extendedResourceName: name } = spec ?? {}
    // Selectors that are stored were good once and stay so.
    const stored = old !== undefined && semanticEqual(old.spec?.selectors, selectors)
    checkSelectors(
      errors,
      'spec.selectors',
      selectors,
      stored ? { ...context, checkExpression: () => undefined } : context,
    )
    checkList(errors, 'spec.config', { items: config, max: maxConfigs }, (item, at) => {
      checkConfiguration(errors, at, item)
    })
    if (name !== undefined && !isExtendedResource(name))
      errors.push(invalidValue('spec.extendedResourceName', name, 'must be a valid extended resource name'))
    return errors
  },
  columns: [nameColumn, ageColumn],
})
