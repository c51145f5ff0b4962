// What events can be selected by (`--field-selector involvedObject.name=web`).
import type { Event } from '../../../../common/api/generated/types.ts'

export function selectEventFields(event: Event): Record<string, string> {
  const { involvedObject: object = {}, reason = '', type = '', source, reportingComponent = '' } = event
  return {
    'involvedObject.kind': object.kind ?? '',
    'involvedObject.namespace': object.namespace ?? '',
    'involvedObject.name': object.name ?? '',
    'involvedObject.uid': object.uid ?? '',
    'involvedObject.apiVersion': object.apiVersion ?? '',
    'involvedObject.resourceVersion': object.resourceVersion ?? '',
    'involvedObject.fieldPath': object.fieldPath ?? '',
    reason,
    reportingComponent,
    source: source?.component || reportingComponent,
    type,
  }
}
