// Validation of events. Those of the older API are held to little, as elsewhere: events must never be in the way.
import type { Event } from '../../../../common/api/generated/types.ts'
import { invalidValue, required, type FieldError } from '../../../../common/machinery/field-error.ts'
import { checkName, isDnsLabel, isQualifiedName } from '../../validation/names.ts'

/** The object's namespace and the event's must be one; events of cluster-scoped objects live in "default". */
function checkNamespace(errors: FieldError[], { metadata, involvedObject }: Event): void {
  const own = metadata.namespace ?? ''
  const object = involvedObject?.namespace ?? ''
  if (object === '' ? own !== '' && own !== 'default' && own !== 'kube-system' : own !== object) {
    errors.push(invalidValue('involvedObject.namespace', object, 'does not match event.namespace'))
  }
}

export function checkEvent(event: Event): FieldError[] {
  const errors: FieldError[] = []
  checkNamespace(errors, event)
  const namespace = event.metadata.namespace ?? ''
  if (namespace !== '') checkName(errors, 'namespace', namespace, isDnsLabel)
  return errors
}

const limit = (errors: FieldError[], path: string, value: string, max: number): void => {
  if (value.length > max) errors.push(invalidValue(path, '', `can have at most ${String(max)} characters`))
}

/** What events.k8s.io asks of new events. */
export function checkNewEvent(event: Event): FieldError[] {
  const errors = checkEvent(event)
  const {
    reportingComponent = '',
    reportingInstance = '',
    action = '',
    reason = '',
    type = '',
    message = '',
    series,
  } = event
  if (!event.eventTime) errors.push(required('eventTime'))
  if (series !== undefined) {
    if ((series.count ?? 0) < 2) errors.push(invalidValue('series.count', series.count ?? 0, 'should be at least 2'))
    if (!series.lastObservedTime) errors.push(required('series.lastObservedTime'))
  }
  if (reportingComponent === '') errors.push(required('reportingController'))
  else checkName(errors, 'reportingController', reportingComponent, isQualifiedName)
  if (reportingInstance === '') errors.push(required('reportingInstance'))
  limit(errors, 'reportingInstance', reportingInstance, 128)
  if (action === '') errors.push(required('action'))
  limit(errors, 'action', action, 128)
  if (reason === '') errors.push(required('reason'))
  limit(errors, 'reason', reason, 128)
  if (type !== 'Normal' && type !== 'Warning') errors.push(invalidValue('type', '', 'has invalid value: ' + type))
  limit(errors, 'message', message, 1024)
  return errors
}
