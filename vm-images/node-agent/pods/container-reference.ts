// What an event is about: the pod, or one container of it.
import type { Container, ObjectReference, Pod } from '../../../common/api/generated/types.ts'

export function containerReference(pod: Pod, container?: Container): ObjectReference {
  const { namespace, uid, resourceVersion } = pod.metadata
  const isIn = (field: 'initContainers' | 'ephemeralContainers'): boolean =>
    pod.spec?.[field]?.some(({ name }) => name === container?.name) === true
  const field = isIn('initContainers')
    ? 'initContainers'
    : isIn('ephemeralContainers')
      ? 'ephemeralContainers'
      : 'containers'
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    namespace,
    name: pod.metadata.name,
    uid,
    resourceVersion,
    ...(container === undefined ? {} : { fieldPath: `spec.${field}{${container.name}}` }),
  }
}
