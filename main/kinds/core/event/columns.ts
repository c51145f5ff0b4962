// `kubectl get events [-o wide]` as the server prints them.
import type { Event } from '../../../../common/api/generated/types.ts'
import { formatAge } from '../../../../common/machinery/duration.ts'
import type { Column } from '../../kind.ts'

const firstSeen = (event: Event, now: Date): string => formatAge(event.firstTimestamp || event.eventTime, now)

function lastSeen(event: Event, now: Date): string {
  if (event.series !== undefined) return formatAge(event.series.lastObservedTime, now)
  return event.lastTimestamp ? formatAge(event.lastTimestamp, now) : firstSeen(event, now)
}

function target({ involvedObject }: Event): string {
  const { kind = '', name = '' } = involvedObject ?? {}
  return name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`
}

function source({ source: from = {}, reportingComponent, reportingInstance }: Event): string {
  const component = from.component || reportingComponent || ''
  const instance = from.host || reportingInstance || ''
  return instance === '' ? component : `${component}, ${instance}`
}

export const eventColumns: readonly Column<Event>[] = [
  { name: 'Last Seen', type: 'string', cell: lastSeen },
  { name: 'Type', type: 'string', cell: ({ type }) => type ?? '' },
  { name: 'Reason', type: 'string', cell: ({ reason }) => reason ?? '' },
  { name: 'Object', type: 'string', cell: target },
  { name: 'Subobject', type: 'string', priority: 1, cell: ({ involvedObject }) => involvedObject?.fieldPath ?? '' },
  { name: 'Source', type: 'string', priority: 1, cell: source },
  { name: 'Message', type: 'string', cell: ({ message = '' }) => message.trim() },
  { name: 'First Seen', type: 'string', priority: 1, cell: firstSeen },
  { name: 'Count', type: 'string', priority: 1, cell: ({ series, count }) => series?.count ?? (count || 1) },
  { name: 'Name', type: 'string', format: 'name', priority: 1, cell: ({ metadata }) => metadata.name ?? '' },
]
