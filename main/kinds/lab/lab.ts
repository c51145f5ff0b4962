// Lab: the lab as a whole. There is one, named "default".
import { labGroup, labVersion, type Lab } from '../../../common/api/lab/v1alpha1.ts'
import { forbiddenField, invalidValue, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineOwnKind } from '../kind.ts'
import { dropStatus, mainDoor, statusDoor } from '../strategy.ts'
import { familyOf } from '../../../common/machinery/addresses.ts'
import { checkCidr, isCidr } from '../validation/ip.ts'
import { checkImmutable, checkOptionalOneOf } from '../validation/values.ts'
import { labDefinitions, labSchemaName } from './schema.ts'

const ranges = ['lanCIDR', 'clusterCIDR', 'serviceCIDR'] as const

export const lab = defineOwnKind<Lab>({
  group: labGroup,
  version: labVersion,
  kind: 'Lab',
  plural: 'labs',
  singular: 'lab',
  scope: 'Cluster',
  schema: { root: labSchemaName('Lab'), definitions: labDefinitions },
  prepareForCreate: dropStatus,
  setDefaults: (object) => {
    object.spec ??= {}
    object.spec.powerState ||= 'Running'
    object.status ??= {}
  },
  validate: ({ metadata, spec }) => {
    const errors: FieldError[] = []
    if (metadata.name !== 'default')
      errors.push(forbiddenField('metadata.name', 'there is exactly one lab, named "default"'))
    checkOptionalOneOf(errors, 'spec.powerState', spec.powerState, ['Running', 'Stopped'])
    for (const field of ranges) {
      const range = spec.network?.[field]
      if (range === undefined) continue
      const path = `spec.network.${field}`
      if (!isCidr(range)) checkCidr(errors, path, range)
      else if (familyOf(range.split('/')[0] ?? '') !== 'IPv4')
        errors.push(invalidValue(path, range, 'must be an IPv4 range'))
    }
    return errors
  },
  update: mainDoor(({ spec }, { spec: old }) => {
    const errors: FieldError[] = []
    for (const field of ranges)
      checkImmutable(errors, `spec.network.${field}`, spec.network?.[field], old.network?.[field])
    return errors
  }),
  status: statusDoor(),
  columns: [
    nameColumn,
    {
      name: 'Power',
      type: 'string',
      description: 'Whether machines should run',
      cell: ({ spec }) => spec?.powerState ?? '',
    },
    {
      name: 'Ready',
      type: 'string',
      description: 'Status of the Ready condition',
      cell: ({ status }) => status?.conditions?.find((condition) => condition.type === 'Ready')?.status ?? 'Unknown',
    },
    {
      name: 'Accelerators',
      type: 'string',
      description: 'How machines of each architecture run',
      cell: ({ status }) =>
        (status?.accelerators ?? []).map(({ arch, accelerator }) => `${arch}:${accelerator}`).join(','),
    },
    ageColumn,
  ],
})
