// Which pods of a node hold which of its ports: a kubelet refuses a pod that was bound to it past the scheduler and wants one that is taken.
import type { ContainerPort, Pod } from '../../common/api/generated/types.ts'

const anyAddress = new Set(['', '0.0.0.0', '::'])

export class HostPorts {
  /** By node, then by the holder's uid. */
  readonly #held = new Map<string, Map<string, readonly ContainerPort[]>>()

  /** False: another pod has one of them. Who has its ports already keeps them. */
  claim(pod: Pod): boolean {
    const ports = hostPortsOf(pod)
    const { uid = '' } = pod.metadata
    const held = this.#held.get(nodeOf(pod)) ?? new Map<string, readonly ContainerPort[]>()
    if (ports.length === 0 || held.has(uid)) return true
    for (const others of held.values())
      if (others.some((other) => ports.some((port) => areInConflict(port, other)))) return false
    this.#held.set(nodeOf(pod), held.set(uid, ports))
    return true
  }

  release(pod: Pod): void {
    const held = this.#held.get(nodeOf(pod))
    if (held?.delete(pod.metadata.uid ?? '') === true && held.size === 0) this.#held.delete(nodeOf(pod))
  }
}

const nodeOf = (pod: Pod): string => pod.spec?.nodeName ?? ''

/** Init containers are over by the time others listen, but for sidecars. */
function hostPortsOf({ spec }: Pod): ContainerPort[] {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  return [...sidecars, ...(spec?.containers ?? [])]
    .flatMap(({ ports = [] }) => ports)
    .filter(({ hostPort = 0 }) => hostPort > 0)
}

function areInConflict(a: ContainerPort, b: ContainerPort): boolean {
  const { hostIP: addressA = '' } = a
  const { hostIP: addressB = '' } = b
  return (
    a.hostPort === b.hostPort &&
    (a.protocol ?? 'TCP') === (b.protocol ?? 'TCP') &&
    (addressA === addressB || anyAddress.has(addressA) || anyAddress.has(addressB))
  )
}
