// What `kubectl get pods` says about a pod: readiness, one word of status, restarts. The status word follows the first init
// container that is not done, else the containers, else the phase.
import type { ContainerStatus, Pod } from '../../../../common/api/generated/types.ts'
import { formatHumanDuration } from '../../../../common/machinery/duration.ts'

export interface PodSummary {
  readonly ready: string
  readonly status: string
  readonly restarts: string
}

/** Restarts, and when the last one was (ms since the epoch; 0: never). */
interface Restarts {
  count: number
  last: number
}

const count = (restarts: Restarts, { restartCount, lastState }: ContainerStatus): void => {
  restarts.count += restartCount
  const finished = Date.parse(lastState?.terminated?.finishedAt ?? '')
  if (finished > restarts.last) restarts.last = finished
}

export function summarizePod(pod: Pod, now: Date): PodSummary {
  const { spec, status = {}, metadata } = pod
  const initContainers = spec?.initContainers ?? []
  const sidecars = new Set(
    initContainers.filter((container) => container.restartPolicy === 'Always').map((container) => container.name),
  )
  const total = (spec?.containers ?? []).length + sidecars.size
  const gated = status.conditions?.some(
    (condition) => condition.type === 'PodScheduled' && condition.reason === 'SchedulingGated',
  )
  let reason = gated === true ? 'SchedulingGated' : status.reason || status.phase || ''

  const init = summarizeInit(status.initContainerStatuses ?? [], sidecars, initContainers.length)
  let { ready, restarts } = init
  if (init.reason !== undefined) reason = init.reason
  const initialized = status.conditions?.find((condition) => condition.type === 'Initialized')?.status === 'True'
  if (init.reason === undefined || initialized) {
    const main = summarizeContainers(status.containerStatuses ?? [], init.sidecarRestarts)
    ready += main.ready
    restarts = main.restarts
    reason = main.reason ?? reason
    if (reason === 'Completed' && main.running) {
      const podReady = status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True')
      reason = podReady === true ? 'Running' : 'NotReady'
    }
  }
  if (metadata.deletionTimestamp !== undefined) {
    const finished = status.phase === 'Succeeded' || status.phase === 'Failed'
    if (status.reason === 'NodeLost') reason = 'Unknown'
    else if (!finished) reason = 'Terminating'
  }
  const ago =
    restarts.count !== 0 && restarts.last > 0 ? ` (${formatHumanDuration(now.getTime() - restarts.last)} ago)` : ''
  return { ready: `${String(ready)}/${String(total)}`, status: reason, restarts: `${String(restarts.count)}${ago}` }
}

interface InitSummary {
  /** Set while a container that must finish first has not. */
  reason: string | undefined
  ready: number
  restarts: Restarts
  sidecarRestarts: Restarts
}

function summarizeInit(
  statuses: readonly ContainerStatus[],
  sidecars: ReadonlySet<string>,
  total: number,
): InitSummary {
  const summary: InitSummary = {
    reason: undefined,
    ready: 0,
    restarts: { count: 0, last: 0 },
    sidecarRestarts: { count: 0, last: 0 },
  }
  for (const [index, status] of statuses.entries()) {
    const sidecar = sidecars.has(status.name)
    count(summary.restarts, status)
    if (sidecar) count(summary.sidecarRestarts, status)
    const { terminated, waiting } = status.state ?? {}
    if (terminated?.exitCode === 0) continue
    if (sidecar && status.started === true) {
      if (status.ready) summary.ready += 1
      continue
    }
    if (terminated !== undefined) summary.reason = `Init:${terminated.reason || exitText(terminated)}`
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') summary.reason = `Init:${waiting.reason}`
    else summary.reason = `Init:${String(index)}/${String(total)}`
    break
  }
  return summary
}

function summarizeContainers(
  statuses: readonly ContainerStatus[],
  sidecarRestarts: Restarts,
): { reason: string | undefined; ready: number; running: boolean; restarts: Restarts } {
  const restarts = { ...sidecarRestarts }
  let reason: string | undefined
  let ready = 0
  let running = false
  // From the last to the first: the first container's reason wins.
  for (const status of [...statuses].reverse()) {
    count(restarts, status)
    const { waiting, terminated, running: runs } = status.state ?? {}
    if (waiting?.reason) reason = waiting.reason
    else if (terminated !== undefined) reason = terminated.reason || exitText(terminated)
    else if (status.ready && runs !== undefined) {
      running = true
      ready += 1
    }
  }
  return { reason, ready, running, restarts }
}

const exitText = ({ signal = 0, exitCode }: { signal?: number; exitCode: number }): string =>
  signal === 0 ? `ExitCode:${String(exitCode)}` : `Signal:${String(signal)}`
