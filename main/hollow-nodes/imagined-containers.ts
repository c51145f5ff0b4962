// Pure: the containers of a pod as they would be by now, from what the API shows of them and from what their programs do: init
// containers in their order, restarts by the pod's policy with the kubelet's back-off. Statuses keep whole seconds, and so does this.
import { createHash } from 'node:crypto'
import type { Container, ContainerStatus, Pod } from '../../common/api/generated/types.ts'
import { isSidecar } from '../../vm-images/node-agent/pods/plan.ts'
import { goDuration } from '../../vm-images/node-agent/pods/restart-backoff.ts'
import type { WaitingReason } from '../../vm-images/node-agent/pods/status.ts'
import type { ObservedContainer } from '../../vm-images/node-agent/runtime/observed.ts'
import { endless, type Program } from './program.ts'

export interface ImaginedContainers {
  /** Newest first, as a runtime lists them. */
  readonly observed: readonly ObservedContainer[]
  readonly waiting: ReadonlyMap<string, WaitingReason>
  /** Nothing runs any more and nothing will. */
  readonly finished: boolean
  /** When the next thing happens; Infinity: nothing does. */
  readonly nextMs: number
}

interface Run {
  readonly attempt: number
  readonly startedAtMs: number
  /** Undefined while it runs. */
  readonly end?: { readonly atMs: number; readonly exitCode: number }
}

type Restarts = (exitCode: number) => boolean

interface History {
  readonly newest: Run
  readonly previous: Run | undefined
  /** Ended, and to be started again then. */
  readonly restartAtMs: number | undefined
  /** When something happens to it; Infinity: nothing does. */
  readonly nextMs: number
}

const maxBackoffMs = 300_000
/** Who ran so long before it failed starts anew at the first step. */
const quietMs = 600_000

export function imagineContainers(
  pod: Pod,
  programOf: (container: Container) => Program,
  nowMs: number,
): ImaginedContainers {
  const { containers = [], initContainers = [], ephemeralContainers = [], restartPolicy = 'Always' } = pod.spec ?? {}
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {}
  const statuses = [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses]
  const histories = new Map<Container, History>()
  const imagine = (container: Container, program: Program, restarts: Restarts): History => {
    const old = statuses.find(({ name }) => name === container.name)
    const history = continued(old, program, restarts, nowMs)
    histories.set(container, history)
    return history
  }
  for (const container of ephemeralContainers) imagine(container, programOf(container), () => false)
  let failed = false
  let initialized = true
  for (const container of initContainers) {
    if (isSidecar(container)) {
      imagine(container, endless, () => true)
      continue
    }
    const program = programOf(container)
    // What would run on and on would never let the pod begin.
    const own = program.runsMs === Infinity ? { runsMs: 0, exitCode: 0 } : program
    const { end } = imagine(container, own, (exitCode) => exitCode !== 0 && restartPolicy !== 'Never').newest
    if (end?.exitCode === 0) continue
    initialized = false
    failed = end !== undefined && restartPolicy === 'Never'
    break
  }
  const restarts: Restarts = (exitCode) =>
    restartPolicy === 'Always' || (restartPolicy === 'OnFailure' && exitCode !== 0)
  if (initialized) for (const container of containers) imagine(container, programOf(container), restarts)
  const isOver = (container: Container): boolean => {
    const history = histories.get(container)
    return history?.newest.end !== undefined && history.restartAtMs === undefined
  }
  const finished = failed || (initialized && containers.every(isOver))
  return {
    observed: [...histories].flatMap(([container, history]) => observedOf(pod, container, history, finished, nowMs)),
    waiting: new Map(
      [...histories].flatMap(([{ name }, { newest, restartAtMs }]) =>
        restartAtMs === undefined || backoffMs(newest) === 0 ? [] : [[name, crashLoop(pod, name, newest)] as const],
      ),
    ),
    finished,
    nextMs: finished ? Infinity : Math.min(...[...histories.values()].map(({ nextMs }) => nextMs)),
  }
}

/** The same with everything that runs stopped now. */
export function stopContainers({ observed }: ImaginedContainers, exitCode: number, nowMs: number): ImaginedContainers {
  const stopped = observed.map((container) =>
    container.state === 'running'
      ? { ...container, state: 'exited' as const, exitCode, finishedAtMs: nowMs }
      : container,
  )
  return { observed: stopped, waiting: new Map(), finished: true, nextMs: Infinity }
}

function continued(old: ContainerStatus | undefined, program: Program, restarts: Restarts, nowMs: number): History {
  const shown = lastRun(old)
  const due = shown === undefined ? undefined : restartOf(shown, restarts)
  if (shown !== undefined && due !== undefined && nowMs >= due) {
    const newest = ended({ attempt: shown.attempt + 1, startedAtMs: nowMs }, program, nowMs)
    return history(newest, shown, program, restarts)
  }
  const newest = ended(shown ?? { attempt: 0, startedAtMs: nowMs }, program, nowMs)
  const previous = old?.state?.waiting === undefined ? runOf(old?.lastState?.terminated, newest.attempt - 1) : undefined
  return history(newest, previous, program, restarts)
}

function history(newest: Run, previous: Run | undefined, program: Program, restarts: Restarts): History {
  const restartAtMs = restartOf(newest, restarts)
  const endMs = newest.end === undefined ? newest.startedAtMs + program.runsMs : Infinity
  return { newest, previous, restartAtMs, nextMs: restartAtMs ?? endMs }
}

/** Undefined: it runs, or has ended for good. */
function restartOf(run: Run, restarts: Restarts): number | undefined {
  return run.end !== undefined && restarts(run.end.exitCode) ? run.end.atMs + backoffMs(run) : undefined
}

function ended(run: Run, { runsMs, exitCode }: Program, nowMs: number): Run {
  const atMs = run.startedAtMs + runsMs
  return run.end !== undefined || nowMs < atMs ? run : { ...run, end: { atMs, exitCode } }
}

function lastRun(old: ContainerStatus | undefined): Run | undefined {
  const { running, terminated } = old?.state ?? {}
  const attempt = old?.restartCount ?? 0
  if (running?.startedAt !== undefined) return { attempt, startedAtMs: Date.parse(running.startedAt) }
  return runOf(terminated ?? old?.lastState?.terminated, attempt)
}

function runOf(terminated: NonNullable<ContainerStatus['state']>['terminated'], attempt: number): Run | undefined {
  if (terminated?.finishedAt === undefined) return undefined
  const atMs = Date.parse(terminated.finishedAt)
  const startedAtMs = terminated.startedAt === undefined ? atMs : Date.parse(terminated.startedAt)
  return { attempt, startedAtMs, end: { atMs, exitCode: terminated.exitCode } }
}

/** At once the first time, then 10 s, 20 s, 40 s and so on. */
function backoffMs({ attempt, startedAtMs, end }: Run): number {
  if (attempt === 0 || (end !== undefined && end.atMs - startedAtMs >= quietMs)) return 0
  return Math.min(maxBackoffMs, 10_000 * 2 ** (attempt - 1))
}

function crashLoop({ metadata }: Pod, container: string, run: Run): WaitingReason {
  const { name = '', namespace = '', uid = '' } = metadata
  return {
    reason: 'CrashLoopBackOff',
    message: `back-off ${goDuration(backoffMs(run))} restarting failed container=${container} pod=${name}_${namespace}(${uid})`,
  }
}

function observedOf(
  pod: Pod,
  container: Container,
  history: History,
  finished: boolean,
  nowMs: number,
): ObservedContainer[] {
  const { newest, previous } = history
  // The last to go are the sidecars.
  const last: Run = finished && newest.end === undefined ? { ...newest, end: { atMs: nowMs, exitCode: 0 } } : newest
  return [last, ...(previous === undefined ? [] : [previous])].map((run) => observedRun(pod, container, run))
}

function observedRun(pod: Pod, { name, image = '' }: Container, { attempt, startedAtMs, end }: Run): ObservedContainer {
  const { uid = '' } = pod.metadata
  return {
    id: idOf(uid, attempt === 0 ? name : `${name}/${String(attempt)}`),
    name,
    sandboxId: sandboxIdOf(pod),
    attempt,
    state: end === undefined ? 'running' : 'exited',
    createdAtMs: startedAtMs,
    startedAtMs,
    finishedAtMs: end?.atMs ?? 0,
    exitCode: end?.exitCode ?? 0,
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

export const sandboxIdOf = (pod: Pod): string => idOf(pod.metadata.uid ?? '', '')

const idOf = (uid: string, container: string): string =>
  createHash('sha256').update(`${uid}/${container}`).digest('hex')
