// One word for a pod, the one kubectl prints in STATUS, and how bad it is.
import type { ContainerStatus, Pod } from '../../common/api/generated/types.ts'
import type { State, Tone } from './tone.ts'

const failing = new Set([
  'CrashLoopBackOff',
  'ImagePullBackOff',
  'ErrImagePull',
  'ErrImageNeverPull',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'StartError',
  'OOMKilled',
  'Error',
  'Failed',
  'Evicted',
  'ContainerCannotRun',
  'ContainerStatusUnknown',
  'DeadlineExceeded',
  'NodeLost',
  'Unknown',
])

export function podState(pod: Pod): State {
  const label = podStatusWord(pod)
  return { label, tone: toneOf(pod, label) }
}

function toneOf(pod: Pod, label: string): Tone {
  if (label === 'Completed' || label === 'Succeeded') return 'done'
  if (label === 'Terminating') return 'idle'
  const bare = label.replace(/^Init:/, '')
  if (failing.has(bare) || bare.startsWith('Signal:') || bare.startsWith('ExitCode:')) return 'bad'
  if (label === 'Running') {
    if (isReady(pod)) return 'ok'
    return 'busy'
  }
  if (label === 'NotReady') return 'warn'
  if (isUnschedulable(pod)) return 'warn'
  return 'busy'
}

export const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false

export const isUnschedulable = (pod: Pod): boolean =>
  (pod.spec?.nodeName ?? '') === '' &&
  (pod.status?.conditions?.some(
    (condition) =>
      condition.type === 'PodScheduled' && condition.status === 'False' && condition.reason === 'Unschedulable',
  ) ??
    false)

export function readyContainers(pod: Pod): { ready: number; total: number } {
  const total = pod.spec?.containers.length ?? 0
  const ready = pod.status?.containerStatuses?.filter((status) => status.ready).length ?? 0
  return { ready, total }
}

export const restarts = (pod: Pod): number =>
  (pod.status?.containerStatuses ?? []).reduce((sum, status) => sum + status.restartCount, 0)

export function podStatusWord(pod: Pod): string {
  const status = pod.status
  let word = status?.reason !== undefined && status.reason !== '' ? status.reason : (status?.phase ?? 'Pending')
  const initWord = initContainersWord(pod)
  if (initWord !== undefined) {
    word = initWord
  } else {
    let anyRunning = false
    for (const container of [...(status?.containerStatuses ?? [])].reverse()) {
      word = containerWord(container) ?? word
      if (container.ready && container.state?.running !== undefined) anyRunning = true
    }
    if (word === 'Completed' && anyRunning) word = isReady(pod) ? 'Running' : 'NotReady'
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (status?.reason === 'NodeLost') return 'Unknown'
    if (status?.phase !== 'Succeeded' && status?.phase !== 'Failed') return 'Terminating'
  }
  return word
}

function containerWord(container: ContainerStatus): string | undefined {
  const { waiting, terminated } = container.state ?? {}
  if (waiting?.reason !== undefined && waiting.reason !== '') return waiting.reason
  if (terminated === undefined) return undefined
  if (terminated.reason !== undefined && terminated.reason !== '') return terminated.reason
  return terminated.signal !== undefined && terminated.signal !== 0
    ? `Signal:${String(terminated.signal)}`
    : `ExitCode:${String(terminated.exitCode)}`
}

/** "Init:1/3", "Init:Error", … while init containers have not finished; undefined after. */
function initContainersWord(pod: Pod): string | undefined {
  const specs = pod.spec?.initContainers ?? []
  for (const [index, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const sidecar = specs.find((spec) => spec.name === container.name)?.restartPolicy === 'Always'
    if (container.state?.terminated?.exitCode === 0) continue
    if (sidecar && container.started === true) continue
    if (container.state?.terminated !== undefined) return `Init:${containerWord(container) ?? 'Error'}`
    const waiting = container.state?.waiting?.reason
    if (waiting !== undefined && waiting !== '' && waiting !== 'PodInitializing') return `Init:${waiting}`
    return `Init:${String(index)}/${String(specs.length)}`
  }
  return undefined
}

/** The name without the template hash of its ReplicaSet: "web-75c4688fd-z852f" -> "web-z852f". The full name stays in titles. */
export function shortPodName(pod: Pod): string {
  const name = pod.metadata.name ?? ''
  const hash = pod.metadata.labels?.['pod-template-hash']
  return hash === undefined ? name : name.replace(`-${hash}-`, '-')
}
