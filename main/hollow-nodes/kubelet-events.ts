// Pure: the events that a kubelet would record when a pod's status changes as a hollow node says. Nothing is pulled, so nothing says so.
import type { ContainerStatus, Pod, PodStatus } from '../../common/api/generated/types.ts'

export interface KubeletEvent {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  /** Of the container it is about: "spec.containers{web}". */
  readonly fieldPath: string
}

/** `stopping`: the containers are being stopped, whatever the status says. */
export function kubeletEvents(pod: Pod, next: PodStatus, stopping: boolean): KubeletEvent[] {
  const { name: podName = '', namespace = '', uid = '' } = pod.metadata
  const of = (
    list: string,
    before: readonly ContainerStatus[] | undefined,
    after: readonly ContainerStatus[] | undefined,
  ): KubeletEvent[] =>
    (after ?? []).flatMap((container): KubeletEvent[] => {
      const { name, state } = container
      const old = before?.find((status) => status.name === name)
      const fieldPath = `spec.${list}{${name}}`
      if (stopping) {
        const message = `Stopping container ${name}`
        return old?.state?.running === undefined ? [] : [{ type: 'Normal', reason: 'Killing', message, fieldPath }]
      }
      const events: KubeletEvent[] = []
      const isNew = old?.containerID !== container.containerID && container.containerID !== undefined
      if (isNew) {
        events.push({ type: 'Normal', reason: 'Created', message: 'Container created', fieldPath })
        events.push({ type: 'Normal', reason: 'Started', message: 'Container started', fieldPath })
      }
      if (state?.waiting?.reason === 'CrashLoopBackOff' && old?.state?.waiting?.reason !== 'CrashLoopBackOff') {
        const message = `Back-off restarting failed container ${name} in pod ${podName}_${namespace}(${uid})`
        events.push({ type: 'Warning', reason: 'BackOff', message, fieldPath })
      }
      return events
    })
  const { status = {} } = pod
  return [
    ...of('initContainers', status.initContainerStatuses, next.initContainerStatuses),
    ...of('containers', status.containerStatuses, next.containerStatuses),
    ...of('ephemeralContainers', status.ephemeralContainerStatuses, next.ephemeralContainerStatuses),
  ]
}
