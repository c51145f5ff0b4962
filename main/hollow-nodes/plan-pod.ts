// Pure: what a hollow node reports about a pod bound to it. The rules, all of them:
// - containers start after the start delay and then run; init containers have succeeded, sidecars run, probes count as passing;
// - nothing ends by itself, except a pod whose restartPolicy is not Always and that carries the annotation hollow-exit-after ("5s"):
//   its containers end then, with the code of hollow-exit-code (default 0; another one only with restartPolicy Never);
// - spec.activeDeadlineSeconds and readiness gates work as on a kubelet, and so does resizing;
// - a deleted pod stops after the stop delay, at the latest when its grace period ends.
// Statuses are made by the node agent's own function, from a runtime that is imagined here.
import { createHash } from 'node:crypto'
import type { Container, Pod, PodStatus } from '../../common/api/generated/types.ts'
import { canonicalJson } from '../controllers/pods/template-hash.ts'
import { isSidecar } from '../../vm-images/node-agent/pods/plan.ts'
import { podStatus } from '../../vm-images/node-agent/pods/status.ts'
import type { ObservedContainer } from '../../vm-images/node-agent/runtime/observed.ts'

export const exitAfterAnnotation = 'lab.orrery.dev/hollow-exit-after'
export const exitCodeAnnotation = 'lab.orrery.dev/hollow-exit-code'

export interface PodPlanInput {
  pod: Pod
  nodeAddress: string
  podAddress: string | undefined
  startDelayMs: number
  stopDelayMs: number
  nowMs: number
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
    return ended ? { remove: true } : { ...write(input, 'exited', 0), remove: true }
  }
  if (ended) return {}
  const startedAt = startTimeOf(pod) ?? nowMs
  if (nowMs < startedAt + input.startDelayMs)
    return { ...write(input, 'created', 0), ...waitFor(startedAt + input.startDelayMs - nowMs) }

  const { activeDeadlineSeconds } = pod.spec ?? {}
  const deadline = activeDeadlineSeconds === undefined ? Infinity : startedAt + activeDeadlineSeconds * 1000
  if (nowMs >= deadline) return write(input, 'exited', 137, deadlineExceeded)
  const exit = exitOf(pod)
  const exitAt = exit === undefined ? Infinity : startedAt + input.startDelayMs + exit.afterMs
  if (exit !== undefined && nowMs >= exitAt) return write(input, 'exited', exit.code)
  const next = Math.min(deadline, exitAt)
  return { ...write(input, 'running', 0), ...(next === Infinity ? {} : waitFor(next - nowMs)) }
}

const waitFor = (ms: number): PodPlan => ({ afterMs: Math.min(maxWaitMs, Math.max(1, ms)) })

const deadlineExceeded = {
  phase: 'Failed',
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
} as const

function startTimeOf({ status }: Pod): number | undefined {
  return status?.startTime === undefined ? undefined : Date.parse(status.startTime)
}

/** Undefined: its containers run until the pod is deleted. */
function exitOf({ metadata, spec }: Pod): { afterMs: number; code: number } | undefined {
  const policy = spec?.restartPolicy ?? 'Always'
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(metadata.annotations?.[exitAfterAnnotation] ?? '')
  if (match === null || policy === 'Always') return undefined
  const code = Number(metadata.annotations?.[exitCodeAnnotation] ?? '0')
  if (!Number.isInteger(code) || code < 0 || code > 255 || (code !== 0 && policy !== 'Never')) return undefined
  return { afterMs: Number(match[1]) * ({ ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2] ?? 's'] ?? 1000), code }
}

type State = 'created' | 'running' | 'exited'

function write(input: PodPlanInput, state: State, exitCode: number, ended?: typeof deadlineExceeded): PodPlan {
  const { pod, nodeAddress, podAddress, nowMs } = input
  const { uid = '', name = '', namespace = '' } = pod.metadata
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {}
  const sandboxId = idOf(uid, '')
  const imagine = (container: Container, own: State): ObservedContainer =>
    imagined({ pod, container, sandboxId, state: own, exitCode: own === state ? exitCode : 0, nowMs })
  const observed =
    state === 'created'
      ? []
      : [
          ...initContainers.map((container) => imagine(container, isSidecar(container) ? state : 'exited')),
          ...[...containers, ...ephemeralContainers].map((container) => imagine(container, state)),
        ]
  const ips = podAddress === undefined ? [] : [podAddress]
  const status = podStatus({
    pod,
    observed: {
      uid,
      name,
      namespace,
      sandboxes: [{ id: sandboxId, attempt: 0, ready: state !== 'exited', createdAtMs: nowMs, ips }],
      containers: observed,
    },
    waiting: new Map(),
    ready: () => true,
    started: () => true,
    hostIps: [nodeAddress],
    finished: state === 'exited',
    ...(ended === undefined ? {} : { ended }),
    now: nowMs,
  })
  return isShown(pod, status) ? {} : { status: asHollow(status) }
}

function imagined(options: {
  pod: Pod
  container: Container
  sandboxId: string
  state: State
  exitCode: number
  nowMs: number
}): ObservedContainer {
  const { pod, container, sandboxId, state, exitCode, nowMs } = options
  const { name, image = '' } = container
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {}
  const old = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].find(
    (status) => status.name === name,
  )?.state
  const startedAt = old?.running?.startedAt ?? old?.terminated?.startedAt
  const finishedAt = old?.terminated?.finishedAt
  return {
    id: idOf(pod.metadata.uid ?? '', name),
    name,
    sandboxId,
    attempt: 0,
    state,
    createdAtMs: nowMs,
    startedAtMs: startedAt === undefined ? nowMs : Date.parse(startedAt),
    finishedAtMs: finishedAt === undefined ? nowMs : Date.parse(finishedAt),
    exitCode,
    reason: '',
    message: '',
    image,
    imageId: image,
    hash: '',
    logPath: '',
    terminationMessageFile: '',
    terminationMessagePolicy: '',
  }
}

const idOf = (uid: string, container: string): string =>
  createHash('sha256').update(`${uid}/${container}`).digest('hex')

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
