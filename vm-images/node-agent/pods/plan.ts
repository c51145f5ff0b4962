// What a pod needs next, decided purely from its spec and from what the runtime shows. Called again after everything that happens;
// doing part of a plan, or the same plan twice, is always safe. Same decisions as the kubelet's computePodActions.
import { createHash } from 'node:crypto'
import type { Container, Pod } from '../../../common/api/generated/types.ts'
import { resizeNeedsRestart } from './resize.ts'
import type { ObservedContainer, ObservedPod, ObservedSandbox } from '../runtime/observed.ts'

export interface PlanInput {
  readonly pod: Pod
  readonly observed: ObservedPod
  /** Running containers, by id, that a probe wants replaced. */
  readonly failedProbes: ReadonlyMap<string, 'liveness' | 'startup'>
  /** Whether a running container counts as started (no startup probe, or it has succeeded). */
  readonly started: (containerId: string) => boolean
}

export interface KillAction {
  readonly container: ObservedContainer
  readonly reason: 'LivenessProbe' | 'StartupProbe' | 'Changed' | 'Unknown' | 'PodFailed'
  readonly message: string
}

export interface Plan {
  /** Stop containers and sandbox before anything else: the sandbox is unusable, or nothing is left to run. */
  readonly killPod: boolean
  readonly createSandbox: boolean
  /** Attempt number of the sandbox to create. */
  readonly attempt: number
  readonly kill: readonly KillAction[]
  /** Containers to start now, in this order; starting stops at the first init container that fails to start. */
  readonly start: readonly Container[]
}

const nothing: Plan = { killPod: false, createSandbox: false, attempt: 0, kill: [], start: [] }

export const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always'

/** Only these parts of a running container can change by an update of the pod in a way that needs a new container. */
export function containerHash(container: Container): string {
  return createHash('sha256')
    .update(JSON.stringify([container.name, container.image]))
    .digest('hex')
    .slice(0, 8)
}

export function planPod(input: PlanInput): Plan {
  const { pod, observed } = input
  const sandbox = usableSandbox(pod, observed)
  if (sandbox.usable === undefined) return planNewSandbox(input, sandbox.nextAttempt)

  const plan = planContainers(input, sandbox.usable)
  return plan.killPod ? plan : { ...plan, start: [...missingEphemeralContainers(input), ...plan.start] }
}

/** They run once, beside whatever else the pod does, even before it is initialized. */
function missingEphemeralContainers({ pod, observed }: PlanInput): Container[] {
  return (pod.spec?.ephemeralContainers ?? []).filter(({ name }) => {
    const known = pod.status?.ephemeralContainerStatuses?.find((status) => status.name === name)
    return known?.containerID === undefined && !observed.containers.some((container) => container.name === name)
  })
}

function planContainers(input: PlanInput, current: ObservedSandbox): Plan {
  const { pod, observed } = input
  const { containers = [], initContainers = [] } = pod.spec ?? {}
  const inits = planInitContainers(input, initContainers, current)
  if (!inits.initialized || inits.plan.killPod) return inits.plan

  const kill: KillAction[] = [...inits.plan.kill]
  const start: Container[] = [...inits.plan.start]
  let kept = 0
  for (const container of containers) {
    const newest = observed.containers.find(({ name }) => name === container.name)
    if (newest?.state !== 'running') {
      if (!shouldRun(pod, container, newest)) continue
      start.push(container)
      if (newest?.state === 'unknown') kill.push(unknownState(newest))
      continue
    }
    const failure = reasonToReplace(input, container, newest)
    if (failure === undefined) {
      kept++
      continue
    }
    const restart = failure.reason === 'Changed' || pod.spec?.restartPolicy !== 'Never'
    kill.push(restart ? { ...failure, message: `${failure.message}, will be restarted` } : failure)
    if (restart) start.push(container)
  }
  const nothingLeft = kept === 0 && start.filter((container) => containers.includes(container)).length === 0
  if (nothingLeft && kill.length === 0) return { ...nothing, killPod: true }
  return { ...nothing, kill, start: nothingLeft ? [] : start }
}

/** A container that is not running: should it be? */
export function shouldRun(pod: Pod, container: Container, newest: ObservedContainer | undefined): boolean {
  if (newest === undefined || newest.state === 'unknown' || newest.state === 'created') return true
  if (newest.state === 'running') return false
  if (isSidecar(container)) return true
  const policy = pod.spec?.restartPolicy ?? 'Always'
  return policy === 'Always' || (policy === 'OnFailure' && newest.exitCode !== 0)
}

function usableSandbox(pod: Pod, observed: ObservedPod): { usable?: ObservedSandbox; nextAttempt: number } {
  const newest = observed.sandboxes[0]
  if (newest === undefined) return { nextAttempt: 0 }
  const nextAttempt = newest.attempt + 1
  const several = observed.sandboxes.filter(({ ready }) => ready).length > 1
  const lostAddress = pod.spec?.hostNetwork !== true && newest.ips.length === 0
  return several || !newest.ready || lostAddress ? { nextAttempt } : { usable: newest, nextAttempt }
}

function planNewSandbox({ pod, observed }: PlanInput, attempt: number): Plan {
  const { containers = [], initContainers = [], restartPolicy = 'Always' } = pod.spec ?? {}
  const ran = observed.containers.length > 0
  const dead = { ...nothing, killPod: true, attempt }
  if (restartPolicy === 'Never' && attempt > 0 && ran) return dead
  const wanted = containers.filter((container) =>
    shouldRun(pod, container, asStopped(observed.containers.find(({ name }) => name === container.name))),
  )
  if (wanted.length === 0 && ran) return dead
  const first = initContainers[0]
  return { ...dead, createSandbox: true, start: first === undefined ? wanted : [first] }
}

/** Without its sandbox nothing runs any more, whatever the runtime still says; how it ended is not known, so it failed. */
function asStopped(container: ObservedContainer | undefined): ObservedContainer | undefined {
  return container?.state === 'running' ? { ...container, state: 'exited', exitCode: 137 } : container
}

function planInitContainers(
  input: PlanInput,
  inits: readonly Container[],
  sandbox: ObservedSandbox,
): { initialized: boolean; plan: Plan } {
  const { pod, observed } = input
  const inSandbox = observed.containers.filter(({ sandboxId }) => sandboxId === sandbox.id)
  const newestOf = (name: string): ObservedContainer | undefined => inSandbox.find((found) => found.name === name)
  const regularNames = new Set((pod.spec?.containers ?? []).map(({ name }) => name))
  const mainStarted = inSandbox.some(({ name }) => regularNames.has(name))
  const kill: KillAction[] = []
  const start: Container[] = []
  const waiting = { initialized: false, plan: { ...nothing, kill, start } }
  for (const [index, container] of inits.entries()) {
    const newest = newestOf(container.name)
    // Something after it has been created already, so this one had done its part.
    const passed = mainStarted || inits.slice(index + 1).some(({ name }) => newestOf(name) !== undefined)
    if (isSidecar(container)) {
      const failure = newest?.state === 'running' ? reasonToReplace(input, container, newest) : undefined
      if (failure !== undefined) kill.push({ ...failure, message: `${failure.message}, will be restarted` })
      if (failure !== undefined || newest?.state !== 'running') start.push(container)
      const ready = newest?.state === 'running' && failure === undefined && input.started(newest.id)
      if (!passed && !ready) return waiting
      continue
    }
    if (mainStarted) continue
    if (newest === undefined) {
      start.push(container)
      return waiting
    }
    if (newest.state === 'running') return waiting
    if (newest.state === 'exited' && newest.exitCode === 0) continue
    if (newest.state === 'unknown') kill.push(unknownState(newest))
    if (pod.spec?.restartPolicy === 'Never' && newest.state === 'exited')
      return { initialized: false, plan: { ...nothing, killPod: true } }
    start.push(container)
    return waiting
  }
  return { initialized: true, plan: { ...nothing, kill, start } }
}

function reasonToReplace(
  { failedProbes }: PlanInput,
  container: Container,
  running: ObservedContainer,
): KillAction | undefined {
  if (running.hash !== '' && running.hash !== containerHash(container))
    return { container: running, reason: 'Changed', message: `Container ${container.name} definition changed` }
  if (resizeNeedsRestart(container, running))
    return { container: running, reason: 'Changed', message: `Container ${container.name} resize requires restart` }
  const probe = failedProbes.get(running.id)
  if (probe === 'liveness')
    return { container: running, reason: 'LivenessProbe', message: `Container ${container.name} failed liveness probe` }
  if (probe === 'startup')
    return { container: running, reason: 'StartupProbe', message: `Container ${container.name} failed startup probe` }
  return undefined
}

const unknownState = (container: ObservedContainer): KillAction => ({
  container,
  reason: 'Unknown',
  message: `Container is in "Unknown" state, try killing it before restart`,
})
