// Host ports of the pods that run here, kept by the pod workers, compiled into rules by the proxy.
import type { Pod } from '../../../common/api/generated/types.ts'
import type { HostPort } from './rules.ts'

export class HostPorts {
  readonly #byPod = new Map<string, readonly HostPort[]>()
  readonly #listeners = new Set<() => void>()

  /** The pod's ports, reachable from now on at its address; without an address they are taken away. */
  set(pod: Pod, podIP: string | undefined): void {
    const uid = pod.metadata.uid ?? ''
    const ports = podIP === undefined || pod.spec?.hostNetwork === true ? [] : portsOf(pod, podIP)
    if (JSON.stringify(ports) === JSON.stringify(this.#byPod.get(uid) ?? [])) return
    if (ports.length === 0) this.#byPod.delete(uid)
    else this.#byPod.set(uid, ports)
    for (const listener of this.#listeners) listener()
  }

  list(): HostPort[] {
    return [...this.#byPod.values()].flat()
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

function portsOf(pod: Pod, podIP: string): HostPort[] {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]
  return containers.flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort = 0 }) => hostPort > 0)
      .map(({ hostPort = 0, hostIP = '', containerPort, protocol = 'TCP' }) => ({
        hostIP,
        hostPort,
        containerPort,
        podIP,
        protocol: protocol.toLowerCase() as HostPort['protocol'],
      })),
  )
}
