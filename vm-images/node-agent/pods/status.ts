// A pod's status from its spec and from what the runtime shows: phase, conditions, container statuses. Pure; same as the kubelet's.
import type {
  Container,
  ContainerState,
  ContainerStatus,
  Pod,
  PodCondition,
  PodStatus,
} from '../../../common/api/generated/types.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import type { ObservedContainer, ObservedPod } from '../runtime/observed.ts'
import { isSidecar, shouldRun } from './plan.ts'
import { resourcesInStatus, type Admission } from './resize.ts'
import { qosClass } from './resources.ts'

export interface WaitingReason {
  readonly reason: string
  readonly message: string
}

export interface StatusInput {
  readonly pod: Pod
  readonly observed: ObservedPod
  /** Why containers that should run do not, by container name. */
  readonly waiting: ReadonlyMap<string, WaitingReason>
  readonly ready: (containerId: string) => boolean
  readonly started: (containerId: string) => boolean
  readonly hostIps: readonly string[]
  /** All containers of the pod are stopped for good (deleted, evicted, past its deadline, or done). */
  readonly finished: boolean
  /** Ended by the agent: fixed phase with its reason. */
  readonly ended?: { phase: 'Failed' | 'Succeeded'; reason: string; message: string }
  readonly now: number
  /** A resize of the pod that has to wait. */
  readonly pendingResize?: Admission['pending']
}

export function podStatus(input: StatusInput): PodStatus {
  const { pod, observed, hostIps, now } = input
  const old = pod.status ?? {}
  const inits = pod.spec?.initContainers ?? []
  const initContainerStatuses = inits.map((container) => containerStatus(input, container, old.initContainerStatuses))
  const containerStatuses = (pod.spec?.containers ?? []).map((container) =>
    containerStatus(input, container, old.containerStatuses),
  )
  const ephemeralContainerStatuses = (pod.spec?.ephemeralContainers ?? []).map((container) => ({
    ...containerStatus(input, container, old.ephemeralContainerStatuses),
    ready: false,
  }))
  const phase = input.ended?.phase ?? podPhase(pod, initContainerStatuses, containerStatuses, input.finished)
  const sandbox = observed.sandboxes[0]
  const podIps = sandbox?.ready === true ? (pod.spec?.hostNetwork === true ? hostIps.slice(0, 1) : sandbox.ips) : []
  const shownIps = podIps.length > 0 ? podIps : (old.podIPs ?? []).map(({ ip }) => ip)
  const keepsIps = shownIps.length > 0 && !input.finished
  const status: PodStatus = {
    phase,
    startTime: old.startTime ?? formatTime(now),
    qosClass: old.qosClass ?? qosClass(pod),
    ...(hostIps[0] === undefined ? {} : { hostIP: hostIps[0], hostIPs: hostIps.map((ip) => ({ ip })) }),
    ...(keepsIps ? { podIP: shownIps[0], podIPs: shownIps.map((ip) => ({ ip })) } : {}),
    ...(input.ended === undefined ? {} : { reason: input.ended.reason, message: input.ended.message }),
    ...(inits.length === 0 ? {} : { initContainerStatuses }),
    containerStatuses,
    ...(ephemeralContainerStatuses.length === 0 ? {} : { ephemeralContainerStatuses }),
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
  }
  const conditions = podConditions(input, status, sandbox?.ready === true && podIps.length > 0)
  return { ...status, conditions }
}

function containerStatus(
  input: StatusInput,
  container: Container,
  oldStatuses: readonly ContainerStatus[] | undefined,
): ContainerStatus {
  const { observed, pod } = input
  const old = oldStatuses?.find(({ name }) => name === container.name)
  const instances = observed.containers.filter(({ name }) => name === container.name)
  const newest = instances[0]
  const previous = instances[1]
  const hasInits = (pod.spec?.initContainers ?? []).length > 0
  const notCreated = { waiting: { reason: hasInits ? 'PodInitializing' : 'ContainerCreating' } }
  const base: ContainerStatus = {
    name: container.name,
    image: newest?.image ?? old?.image ?? container.image ?? '',
    imageID: newest?.imageId ?? old?.imageID ?? '',
    ready: false,
    started: false,
    ...(newest === undefined ? {} : resourcesInStatus(container)),
    restartCount: newest?.attempt ?? old?.restartCount ?? 0,
    state: notCreated,
    lastState: previous?.state === 'exited' ? { terminated: terminated(previous) } : (old?.lastState ?? {}),
  }
  const waiting = input.waiting.get(container.name)
  if (newest === undefined) {
    // Removed behind our back (a node that was reset): what the API remembers is better than nothing.
    if (old?.state?.terminated !== undefined && !shouldRunAgain(input, container)) return { ...base, state: old.state }
    if (input.finished && old?.state?.running !== undefined)
      return { ...base, state: { terminated: lostContainer(old) } }
    return { ...base, state: waiting === undefined ? notCreated : { waiting } }
  }
  const id = `containerd://${newest.id}`
  if (newest.state === 'running') {
    const started = input.started(newest.id)
    return {
      ...base,
      containerID: id,
      state: { running: { startedAt: formatTime(newest.startedAtMs) } },
      started,
      ready: started && input.ready(newest.id),
    }
  }
  if (newest.state === 'exited') {
    const ended = { terminated: terminated(newest) }
    const done = newest.exitCode === 0 && isInit(pod, container) && !isSidecar(container)
    const shown: ContainerState = ended
    if (waiting !== undefined && !input.finished && shouldRun(pod, container, newest))
      return { ...base, containerID: id, state: { waiting }, lastState: ended }
    return { ...base, containerID: id, state: shown, ready: done }
  }
  return {
    ...base,
    state: {
      waiting: waiting ?? { reason: newest.state === 'created' ? 'ContainerCreating' : 'ContainerStatusUnknown' },
    },
  }
}

const isInit = (pod: Pod, container: Container): boolean => (pod.spec?.initContainers ?? []).includes(container)

function shouldRunAgain({ pod }: StatusInput, container: Container): boolean {
  return pod.spec?.restartPolicy !== 'Never' || isSidecar(container)
}

const lostContainer = (old: ContainerStatus): NonNullable<ContainerState['terminated']> => ({
  exitCode: 137,
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was terminated',
  ...(old.containerID === undefined ? {} : { containerID: old.containerID }),
})

function terminated(container: ObservedContainer): NonNullable<ContainerState['terminated']> {
  return {
    exitCode: container.exitCode,
    reason: container.reason === '' ? (container.exitCode === 0 ? 'Completed' : 'Error') : container.reason,
    ...(container.message === '' ? {} : { message: container.message }),
    ...(container.startedAtMs <= 0 ? {} : { startedAt: formatTime(container.startedAtMs) }),
    finishedAt: formatTime(container.finishedAtMs),
    containerID: `containerd://${container.id}`,
  }
}

export function podPhase(
  pod: Pod,
  inits: readonly ContainerStatus[],
  statuses: readonly ContainerStatus[],
  finished: boolean,
): string {
  const policy = pod.spec?.restartPolicy ?? 'Always'
  const initFailed = inits.some(
    ({ name, state }) =>
      (state?.terminated?.exitCode ?? 0) !== 0 &&
      !isSidecar(pod.spec?.initContainers?.find((c) => c.name === name) ?? { name }),
  )
  const ran = (status: ContainerStatus): boolean =>
    status.state?.terminated !== undefined || status.lastState?.terminated !== undefined
  const running = statuses.filter(({ state }) => state?.running !== undefined).length
  const waiting = statuses.filter((status) => status.state?.running === undefined && !ran(status)).length
  const succeeded = statuses.filter(({ state }) => state?.terminated?.exitCode === 0).length
  if (finished && running === 0) return succeeded === statuses.length && !initFailed ? 'Succeeded' : 'Failed'
  if (initFailed && policy === 'Never' && running === 0) return 'Failed'
  const mainBegun = statuses.some(
    ({ state, lastState }) =>
      state?.running !== undefined || state?.terminated !== undefined || lastState?.terminated !== undefined,
  )
  if (!mainBegun && !initialized(pod, inits)) return 'Pending'
  if (waiting > 0) return 'Pending'
  if (running > 0) return 'Running'
  if (policy === 'Always') return 'Running'
  if (succeeded === statuses.length) return 'Succeeded'
  return policy === 'Never' && statuses.every(({ state }) => state?.terminated !== undefined) ? 'Failed' : 'Running'
}

function initialized(pod: Pod, inits: readonly ContainerStatus[]): boolean {
  return incompleteInits(pod, inits).length === 0
}

function incompleteInits(pod: Pod, inits: readonly ContainerStatus[]): string[] {
  const sidecars = new Set((pod.spec?.initContainers ?? []).filter(isSidecar).map(({ name }) => name))
  return inits
    .filter((status) =>
      sidecars.has(status.name) ? status.started !== true : status.state?.terminated?.exitCode !== 0,
    )
    .map(({ name }) => name)
}

function podConditions(input: StatusInput, status: PodStatus, hasNetwork: boolean): PodCondition[] {
  const { pod, now } = input
  const inits = status.initContainerStatuses ?? []
  const sidecars = inits.filter(({ name }) => pod.spec?.initContainers?.some((c) => c.name === name && isSidecar(c)))
  const ended = status.phase === 'Succeeded' || status.phase === 'Failed'
  const unready = [...sidecars, ...(status.containerStatuses ?? [])]
    .filter(({ ready }) => !ready)
    .map(({ name }) => name)
  const incomplete = incompleteInits(pod, inits)
  const begun = (status.containerStatuses ?? []).some(
    ({ state, lastState }) =>
      state?.running !== undefined || state?.terminated !== undefined || lastState?.terminated !== undefined,
  )
  const done = incomplete.length === 0 || begun

  const completed = { status: 'False', reason: status.phase === 'Failed' ? 'PodFailed' : 'PodCompleted' }
  const containersReady: Verdict = ended
    ? completed
    : unready.length === 0
      ? { status: 'True' }
      : {
          status: 'False',
          reason: 'ContainersNotReady',
          message: `containers with unready status: [${unready.join(' ')}]`,
        }
  const gates = (pod.spec?.readinessGates ?? []).filter(
    ({ conditionType }) => pod.status?.conditions?.find(({ type }) => type === conditionType)?.status !== 'True',
  )
  const ready: Verdict =
    containersReady.status !== 'True' || gates.length === 0
      ? containersReady
      : {
          status: 'False',
          reason: 'ReadinessGatesNotReady',
          message: gates
            .map(({ conditionType }) => {
              const gate = pod.status?.conditions?.find(({ type }) => type === conditionType)
              return gate === undefined
                ? `corresponding condition of pod readiness gate "${conditionType}" does not exist.`
                : `the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`
            })
            .join(', '),
        }
  const own: [string, Verdict][] = [
    ['PodReadyToStartContainers', { status: hasNetwork && !input.finished ? 'True' : 'False' }],
    [
      'Initialized',
      done
        ? { status: 'True', ...(status.phase === 'Succeeded' ? { reason: 'PodCompleted' } : {}) }
        : {
            status: 'False',
            reason: 'ContainersNotInitialized',
            message: `containers with incomplete status: [${incomplete.join(' ')}]`,
          },
    ],
    ['Ready', ready],
    ['ContainersReady', containersReady],
    ['PodScheduled', { status: 'True' }],
  ]
  if (input.pendingResize !== undefined) own.push(['PodResizePending', { status: 'True', ...input.pendingResize }])
  return own.map(([type, verdict]) => condition(pod, type, verdict, now))
}

interface Verdict {
  status: string
  reason?: string
  message?: string
}

function condition(pod: Pod, type: string, verdict: Verdict, now: number): PodCondition {
  const old = pod.status?.conditions?.find((present) => present.type === type)
  return {
    type,
    ...verdict,
    lastTransitionTime:
      old?.status === verdict.status && old.lastTransitionTime !== undefined ? old.lastTransitionTime : formatTime(now),
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
  }
}
