// What an event is about: the pod, or one container of it.
import type { Container, ObjectReference, Pod } from '../../../common/api/generated/types.ts'

export function containerReference(pod: Pod, container?: Container): ObjectReference {
  const { namespace, name, uid, resourceVersion } = pod.metadata
  const inits = pod.spec?.initContainers ?? []
  const field =
    container !== undefined && inits.some((init) => init.name === container.name) ? 'initContainers' : 'containers'
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    namespace,
    name,
    uid,
    resourceVersion,
    ...(container === undefined ? {} : { fieldPath: `spec.${field}{${container.name}}` }),
  }
}
