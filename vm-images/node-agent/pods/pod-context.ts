// What a pod worker is given: everything of the node that pods share.
import type { Pod, Service } from '../../../common/api/generated/types.ts'
import type { GuestConfig } from '../../../common/channel/guest-config.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import type { HostPorts } from '../proxy/host-ports.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { PodVolumes } from '../volumes/pod-volumes.ts'
import type { ReferencedObjects } from '../volumes/referenced-objects.ts'
import type { NodeFacts } from './field-path.ts'
import type { ImagePuller } from './image-puller.ts'
import type { PodEvent } from './pod-event.ts'
import type { RestartBackoff } from './restart-backoff.ts'
import type { StatusWriter } from './status-writer.ts'

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
  /** All pods of this node. */
  readonly pods: () => readonly Pod[]
  readonly event: (pod: Pod, ...args: Parameters<PodEvent>) => void
}
