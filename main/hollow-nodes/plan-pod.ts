// Pure: what a hollow node reports about a pod bound to it. The rules, all of them:
// - containers start after the start delay and then run; sidecars run, probes count as passing;
// - a container whose command is a plain `sleep`, `true`, `exit 1` or a list of such (program.ts) ends as that would, and one of a pod
//   with the annotation hollow-exit-after ("5s") ends by then, with the code of hollow-exit-code (default 0); restarts follow the
//   pod's policy with the kubelet's back-off. Nothing else ends by itself, but init containers succeed at once;
// - a pod that is bound to it and wants a host port that is taken fails at once;
// - spec.activeDeadlineSeconds and readiness gates work as on a kubelet, and so does resizing;
// - a deleted pod stops after the stop delay, at the latest when its grace period ends.
// Statuses are made by the node agent's own function, from a runtime that is imagined here.
import type { Container, Pod, PodStatus } from '../../common/api/generated/types.ts'
import { formatTime } from '../../common/machinery/clock.ts'
import { canonicalJson } from '../controllers/pods/template-hash.ts'
import { podStatus } from '../../vm-images/node-agent/pods/status.ts'
import { imagineContainers, sandboxIdOf, stopContainers, type ImaginedContainers } from './imagined-containers.ts'
import { programOf, type Program } from './program.ts'

export const exitAfterAnnotation = 'lab.orrery.dev/hollow-exit-after'
export const exitCodeAnnotation = 'lab.orrery.dev/hollow-exit-code'

export interface PodPlanInput {
  pod: Pod
  nodeAddress: string
  podAddress: string | undefined
  startDelayMs: number
  stopDelayMs: number
  nowMs: number
  /** Whether the node has what only it can give: the pod's host ports. */
  admitted?: boolean
}

export interface PodPlan {
  /** To be written; undefined when the API shows it already. */
  status?: PodStatus
  /** Nothing of the pod is left on the node: the object may go. */
  remove?: boolean
  /** When to look again. */
  afterMs?: number
}

/** Timers hold at most 24 days; looking once an hour is as good. */
const maxWaitMs = 3_600_000

export function planHollowPod(input: PodPlanInput): PodPlan {
  const { pod, nowMs } = input
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata
  const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
  if (deletionTimestamp !== undefined) {
    const latest = Date.parse(deletionTimestamp)
    const stopAt = Math.min(latest, latest - deletionGracePeriodSeconds * 1000 + input.stopDelayMs)
    if (!ended && nowMs < stopAt) return waitFor(stopAt - nowMs)
    return ended ? { remove: true } : { ...write(input, stopContainers(imagine(input), 0, nowMs)), remove: true }
  }
  if (ended) return {}
  if (input.admitted === false) return { status: { ...rejected, startTime: formatTime(nowMs) } }
  const startedAt = startTimeOf(pod) ?? nowMs
  if (nowMs < startedAt + input.startDelayMs)
    return { ...write(input, notYet), ...waitFor(startedAt + input.startDelayMs - nowMs) }

  const { activeDeadlineSeconds } = pod.spec ?? {}
  const deadline = activeDeadlineSeconds === undefined ? Infinity : startedAt + activeDeadlineSeconds * 1000
  const imagined = imagine(input)
  if (nowMs >= deadline) return write(input, stopContainers(imagined, 137, nowMs), deadlineExceeded)
  const next = Math.min(deadline, imagined.nextMs)
  return { ...write(input, imagined), ...(imagined.finished || next === Infinity ? {} : waitFor(next - nowMs)) }
}

const notYet: ImaginedContainers = { observed: [], waiting: new Map(), finished: false, nextMs: Infinity }

function imagine({ pod, nowMs }: PodPlanInput): ImaginedContainers {
  const asked = exitOf(pod)
  const regular = new Set(pod.spec?.containers ?? [])
  return imagineContainers(
    pod,
    (container: Container) => (regular.has(container) && asked) || programOf(container),
    nowMs,
  )
}

const waitFor = (ms: number): PodPlan => ({ afterMs: Math.min(maxWaitMs, Math.max(1, ms)) })

const rejected = {
  phase: 'Failed',
  reason: 'NodePorts',
  message: "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
} as const

const deadlineExceeded = {
  phase: 'Failed',
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
} as const

function startTimeOf({ status }: Pod): number | undefined {
  return status?.startTime === undefined ? undefined : Date.parse(status.startTime)
}

/** What the pod's annotations say; undefined when they say nothing. */
function exitOf({ metadata }: Pod): Program | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(metadata.annotations?.[exitAfterAnnotation] ?? '')
  if (match === null) return undefined
  const exitCode = Number(metadata.annotations?.[exitCodeAnnotation] ?? '0')
  if (!Number.isInteger(exitCode) || exitCode < 0 || exitCode > 255) return undefined
  const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2] ?? 's'] ?? 1000
  return { runsMs: Number(match[1]) * unitMs, exitCode }
}

function write(input: PodPlanInput, containers: ImaginedContainers, ended?: typeof deadlineExceeded): PodPlan {
  const { pod, nodeAddress, podAddress, nowMs } = input
  const { uid = '', name = '', namespace = '' } = pod.metadata
  const { observed, waiting, finished } = containers
  const ips = podAddress === undefined ? [] : [podAddress]
  const status = podStatus({
    pod,
    observed: {
      uid,
      name,
      namespace,
      sandboxes: [{ id: sandboxIdOf(pod), attempt: 0, ready: !finished, createdAtMs: nowMs, ips }],
      containers: observed,
    },
    waiting,
    ready: () => true,
    started: () => true,
    hostIps: [nodeAddress],
    finished,
    ...(ended === undefined ? {} : { ended }),
    now: nowMs,
  })
  return isShown(pod, status) ? {} : { status: asHollow(status) }
}

/** No container of containerd's: the ids say so. */
function asHollow(status: PodStatus): PodStatus {
  return JSON.parse(JSON.stringify(status).replaceAll('"containerd://', '"hollow://')) as PodStatus
}

/** The API shows everything that the status says; conditions of others are not the node's. */
function isShown(pod: Pod, status: PodStatus): boolean {
  const own = asHollow(status)
  const shown: Record<string, unknown> = { ...pod.status }
  return Object.entries(own).every(([field, value]) => {
    if (field !== 'conditions') return canonicalJson(value) === canonicalJson(shown[field])
    return (own.conditions ?? []).every((condition) => {
      const present = pod.status?.conditions?.find(({ type }) => type === condition.type)
      return present !== undefined && canonicalJson(essence(condition)) === canonicalJson(essence(present))
    })
  })
}

const essence = ({ status, reason, message }: { status: string; reason?: string; message?: string }): unknown => ({
  status,
  reason,
  message,
})
