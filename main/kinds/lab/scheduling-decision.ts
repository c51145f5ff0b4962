// SchedulingDecision: why a pod is where it is. Written by the scheduler, read by people; it has no desired state.
import { labGroup, labVersion, type SchedulingDecision } from '../../../common/api/lab/v1alpha1.ts'
import { formatAge } from '../../../common/machinery/duration.ts'
import { required, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineOwnKind } from '../kind.ts'
import { checkOneOf } from '../validation/values.ts'
import { labDefinitions, labSchemaName } from './schema.ts'

export const schedulingDecision = defineOwnKind<SchedulingDecision>({
  group: labGroup,
  version: labVersion,
  kind: 'SchedulingDecision',
  plural: 'schedulingdecisions',
  singular: 'schedulingdecision',
  scope: 'Namespaced',
  schema: { root: labSchemaName('SchedulingDecision'), definitions: labDefinitions },
  shortNames: ['why'],
  tracksGeneration: false,
  allowCreateOnUpdate: true,
  validate: ({ status }) => {
    const errors: FieldError[] = []
    if (status === undefined) return [required('status')]
    if (!status.podUid) errors.push(required('status.podUid'))
    checkOneOf(errors, 'status.outcome', status.outcome, ['Error', 'Scheduled', 'Unschedulable'])
    return errors
  },
  selectableFields: ({ status }) => ({
    'status.outcome': status?.outcome ?? '',
    'status.nodeName': status?.nodeName ?? '',
  }),
  columns: [
    nameColumn,
    { name: 'Outcome', type: 'string', cell: ({ status }) => status?.outcome ?? '' },
    { name: 'Node', type: 'string', cell: ({ status }) => status?.nodeName || '<none>' },
    { name: 'Attempt', type: 'integer', cell: ({ status }) => status?.attempt ?? 0 },
    { name: 'Decided', type: 'string', cell: ({ status }, now) => formatAge(status?.time, now) },
    ageColumn,
    { name: 'Message', type: 'string', priority: 1, cell: ({ status }) => status?.message ?? '' },
  ],
})
