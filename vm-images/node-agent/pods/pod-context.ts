// What a pod worker is given: everything of the node that pods share.
import type { ConfigMap, Container, Pod, Secret, Service } from '../../../common/api/generated/types.ts'
import type { GuestConfig } from '../../../common/channel/guest-config.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import type { HostPorts } from '../proxy/host-ports.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { PodVolumes } from '../volumes/pod-volumes.ts'
import type { NodeFacts } from './field-path.ts'
import type { ImagePuller } from './image-puller.ts'
import type { RestartBackoff } from './restart-backoff.ts'
import type { StatusWriter } from './status-writer.ts'

/** Records an event about the pod, or about one of its containers. */
export type PodEvent = (type: 'Normal' | 'Warning', reason: string, message: string, container?: Container) => void

/** Objects pods refer to; each is watched while a pod of this node uses it. */
export interface ReferencedObjects {
  /** Resolves to undefined when the object does not exist; rejects while the API cannot be reached and nothing is known. */
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>
  secret(namespace: string, name: string): Promise<Secret | undefined>
  /** Starts to watch what the pod refers to; `onChange` is called after each change of one of them. */
  hold(pod: Pod, onChange: () => void): void
  release(uid: string): void
}

export interface PodContext {
  readonly config: GuestConfig
  readonly clock: Clock
  readonly logger: Logger
  readonly client: KubeClient
  readonly runtime: Runtime
  readonly puller: ImagePuller
  readonly backoff: RestartBackoff
  readonly objects: ReferencedObjects
  readonly volumes: PodVolumes
  readonly status: StatusWriter
  readonly hostPorts: HostPorts
  readonly services: () => readonly Service[]
  readonly node: () => NodeFacts
  readonly event: (pod: Pod, ...args: Parameters<PodEvent>) => void
}
