// States of everything that is not a pod: nodes, machines, controllers' objects.
import type {
  DaemonSet,
  Deployment,
  Job,
  Namespace,
  Node,
  ReplicaSet,
  Service,
} from '../../common/api/generated/types.ts'
import type { Image, Machine } from '../../common/api/lab/v1alpha1.ts'
import type { State } from './tone.ts'

export function deploymentState(deployment: Deployment): State {
  const wanted = deployment.spec?.replicas ?? 1
  const status = deployment.status ?? {}
  const ready = status.readyReplicas ?? 0
  const updated = status.updatedReplicas ?? 0
  const condition = (type: string): { status: string; reason?: string } | undefined =>
    status.conditions?.find((one) => one.type === type)
  if (deployment.metadata.deletionTimestamp !== undefined) return { tone: 'idle', label: 'Terminating' }
  if (condition('Progressing')?.reason === 'ProgressDeadlineExceeded') return { tone: 'bad', label: 'Stalled' }
  if (condition('ReplicaFailure')?.status === 'True') return { tone: 'bad', label: 'Cannot create pods' }
  if ((status.observedGeneration ?? 0) < (deployment.metadata.generation ?? 0))
    return { tone: 'busy', label: 'Accepted' }
  if (wanted === 0 && (status.replicas ?? 0) === 0) return { tone: 'idle', label: 'Scaled to 0' }
  if (deployment.spec?.paused === true) return { tone: 'idle', label: 'Paused' }
  if (updated < wanted || (status.replicas ?? 0) > updated) return { tone: 'busy', label: 'Rolling out' }
  if (ready < wanted) return { tone: 'busy', label: ready === 0 ? 'Not ready' : 'Partly ready' }
  return { tone: 'ok', label: 'Ready' }
}

export function replicaSetState(set: ReplicaSet): State {
  const wanted = set.spec?.replicas ?? 1
  const ready = set.status?.readyReplicas ?? 0
  if (set.metadata.deletionTimestamp !== undefined) return { tone: 'idle', label: 'Terminating' }
  if (set.status?.conditions?.some((one) => one.type === 'ReplicaFailure' && one.status === 'True') === true)
    return { tone: 'bad', label: 'Cannot create pods' }
  if (wanted === 0) return { tone: 'idle', label: (set.status?.replicas ?? 0) === 0 ? 'Scaled to 0' : 'Scaling down' }
  return ready >= wanted ? { tone: 'ok', label: 'Ready' } : { tone: 'busy', label: 'Not ready' }
}

export function daemonSetState(set: DaemonSet): State {
  const wanted = set.status?.desiredNumberScheduled ?? 0
  const ready = set.status?.numberReady ?? 0
  if (set.metadata.deletionTimestamp !== undefined) return { tone: 'idle', label: 'Terminating' }
  if ((set.status?.observedGeneration ?? 0) < (set.metadata.generation ?? 0)) return { tone: 'busy', label: 'Accepted' }
  if (wanted === 0) return { tone: 'idle', label: 'No matching node' }
  if ((set.status?.updatedNumberScheduled ?? 0) < wanted) return { tone: 'busy', label: 'Rolling out' }
  return ready >= wanted ? { tone: 'ok', label: 'Ready' } : { tone: 'busy', label: 'Not ready' }
}

export function jobState(job: Job): State {
  const is = (type: string): boolean =>
    job.status?.conditions?.some((one) => one.type === type && one.status === 'True') ?? false
  if (is('Complete')) return { tone: 'done', label: 'Complete' }
  if (is('Failed')) return { tone: 'bad', label: 'Failed' }
  if (is('Suspended') || job.spec?.suspend === true) return { tone: 'idle', label: 'Suspended' }
  return { tone: 'busy', label: 'Running' }
}

export function nodeState(node: Node): State {
  const ready = node.status?.conditions?.find((one) => one.type === 'Ready')
  const cordoned = node.spec?.unschedulable === true
  if (ready?.status === 'True')
    return cordoned ? { tone: 'warn', label: 'Ready, cordoned' } : { tone: 'ok', label: 'Ready' }
  if (ready?.status === 'Unknown') return { tone: 'bad', label: 'Unreachable' }
  return { tone: 'bad', label: 'Not ready' }
}

export function machineState(machine: Machine, node: Node | undefined): State {
  const phase = machine.status?.phase ?? 'Pending'
  if (machine.metadata.deletionTimestamp !== undefined) return { tone: 'idle', label: 'Being deleted' }
  switch (phase) {
    case 'Running': {
      const ready = isConditionTrue(machine, 'Ready')
      if (!ready) return { tone: 'busy', label: 'Booting' }
      return node === undefined || nodeState(node).tone === 'ok'
        ? { tone: 'ok', label: 'Running' }
        : { tone: 'warn', label: 'Running, node not ready' }
    }
    case 'Failed':
      return { tone: 'bad', label: 'Failed' }
    case 'Stopped':
      return { tone: 'idle', label: 'Stopped' }
    case 'Starting':
      return { tone: 'busy', label: 'Booting' }
    case 'Stopping':
      return { tone: 'busy', label: 'Shutting down' }
    default:
      return { tone: 'busy', label: 'Waiting' }
  }
}

export const isConditionTrue = (machine: Machine, type: string): boolean =>
  machine.status?.conditions?.some((one) => one.type === type && one.status === 'True') ?? false

export const namespaceState = (namespace: Namespace): State =>
  namespace.status?.phase === 'Terminating' || namespace.metadata.deletionTimestamp !== undefined
    ? { tone: 'busy', label: 'Terminating' }
    : { tone: 'ok', label: 'Active' }

export const serviceState = (service: Service): State =>
  service.metadata.deletionTimestamp !== undefined
    ? { tone: 'idle', label: 'Terminating' }
    : { tone: 'ok', label: service.spec?.type ?? 'ClusterIP' }

export const imageArchitectures = (image: Image): string[] => [
  ...new Set((image.status?.platforms ?? []).map((platform) => platform.architecture)),
]
