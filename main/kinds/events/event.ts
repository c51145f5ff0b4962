// events.k8s.io/v1 Event: the newer shape of the events stored as core v1.
import type { Event, EventsV1Event } from '../../../common/api/generated/types.ts'
import type { Column } from '../kind.ts'
import { defineKind } from '../kind.ts'
import { dropUndefined } from '../strategy.ts'
import { eventColumns } from '../core/event/columns.ts'
import { checkNewEvent } from '../core/event/validation.ts'

export const eventsEvent = defineKind('events.k8s.io/v1/events', {
  shortNames: ['ev'],
  tracksGeneration: false,
  allowCreateOnUpdate: true,
  storedAs: { group: '', plural: 'events', toStored: toCore, fromStored: (object) => fromCore(object as Event) },
  setDefaults: (object) => {
    object.deprecatedSource ??= {}
  },
  validate: (object, context) =>
    object.metadata.resourceVersion === undefined && context.subresource === '' ? checkNewEvent(toCore(object)) : [],
  selectableFields: (object) => {
    const { regarding = {}, reason = '', type = '', reportingController = '' } = object
    return {
      'regarding.kind': regarding.kind ?? '',
      'regarding.namespace': regarding.namespace ?? '',
      'regarding.name': regarding.name ?? '',
      'regarding.uid': regarding.uid ?? '',
      'regarding.apiVersion': regarding.apiVersion ?? '',
      'regarding.resourceVersion': regarding.resourceVersion ?? '',
      'regarding.fieldPath': regarding.fieldPath ?? '',
      reason,
      reportingController,
      type,
    }
  },
  columns: eventColumns.map((column): Column<EventsV1Event> => ({
    ...column,
    cell: (object, now) => column.cell(toCore(object), now),
  })),
})

function toCore(object: EventsV1Event): Event {
  return dropUndefined<Event>({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: object.metadata,
    involvedObject: object.regarding ?? {},
    related: object.related,
    reason: object.reason,
    message: object.note,
    source: object.deprecatedSource,
    firstTimestamp: object.deprecatedFirstTimestamp,
    lastTimestamp: object.deprecatedLastTimestamp,
    count: object.deprecatedCount,
    type: object.type,
    eventTime: object.eventTime,
    series: object.series,
    action: object.action,
    reportingComponent: object.reportingController,
    reportingInstance: object.reportingInstance,
  })
}

function fromCore(object: Event): EventsV1Event {
  return dropUndefined<EventsV1Event>({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: object.metadata,
    // Absent in events of the older API; `dropUndefined` leaves it out.
    eventTime: object.eventTime as string,
    regarding: object.involvedObject,
    related: object.related,
    reason: object.reason,
    note: object.message,
    deprecatedSource: object.source,
    deprecatedFirstTimestamp: object.firstTimestamp,
    deprecatedLastTimestamp: object.lastTimestamp,
    deprecatedCount: object.count,
    type: object.type,
    series:
      object.series === undefined
        ? undefined
        : { count: object.series.count ?? 0, lastObservedTime: object.series.lastObservedTime ?? '' },
    action: object.action,
    reportingController: object.reportingComponent,
    reportingInstance: object.reportingInstance,
  })
}
