// Event: what happened to an object, for people. Served in two shapes (v1 and events.k8s.io/v1) over one stored object.
import type { Event } from '../../../../common/api/generated/types.ts'
import { defineKind, type Column } from '../../kind.ts'
import { eventColumns } from './columns.ts'
import { selectEventFields } from './fields.ts'
import { checkEvent } from './validation.ts'

export const event = defineKind('v1/events', {
  shortNames: ['ev'],
  tracksGeneration: false,
  allowCreateOnUpdate: true,
  setDefaults: (object) => {
    object.source ??= {}
    object.reportingComponent ??= ''
    object.reportingInstance ??= ''
  },
  validate: checkEvent,
  selectableFields: selectEventFields,
  columns: eventColumns satisfies readonly Column<Event>[],
})
