// Pure: how many replicas a resource metric asks for. Pods that just start, or of which nothing is known, are taken so that they never
// make the scaling bolder: as idle when scaling up, as fully used when scaling down.
import type { Pod } from '../../../common/api/generated/types.ts'
import { quantityToMillis } from '../../../common/machinery/quantity.ts'
import { podCondition } from '../pods/pod-state.ts'

/** In thousandths of the resource's unit. */
export interface PodUsage {
  millis: number
  atMs: number
  windowMs: number
}

export interface UsageTarget {
  resource: string
  /** Only this container of each pod counts. */
  container?: string
  /** Percent of the requests, or thousandths per pod. */
  utilization?: number
  averageMillis?: number
}

export interface Tolerance {
  up: number
  down: number
}

export interface UsageFacts {
  pods: readonly Pod[]
  usages: ReadonlyMap<string, PodUsage>
  target: UsageTarget
  currentReplicas: number
  tolerance: Tolerance
  nowMs: number
}

export interface Proposal {
  replicas: number
  averageMillis: number
  /** Percent; of targets in percent. */
  utilization?: number
}

/** How long after its start a pod's cpu does not count unless it is ready. */
const initializationMs = 300_000
/** How long after its start a pod that is not ready is taken to be starting. */
const readinessDelayMs = 30_000

/** Whether the number of pods may stay: `ratio` is what there is to what there should be. */
export const isWithin = (ratio: number, { up, down }: Tolerance): boolean => ratio >= 1 - down && ratio <= 1 + up

export class MetricError extends Error {
  override readonly name = 'MetricError'
}

export function proposeReplicas(facts: UsageFacts): Proposal {
  const { pods, target, currentReplicas, tolerance } = facts
  if (pods.length === 0) throw new MetricError('no pods returned by selector while calculating replica count')
  const groups = groupPods(facts)
  const counted = new Map(groups.ready)
  const goal = goalOf(target, pods)
  if (counted.size === 0) throw new MetricError('did not receive metrics for targeted pods (pods might be unready)')
  const measured = measure(counted, goal)
  const proposal = {
    averageMillis: measured.averageMillis,
    ...(goal.type === 'utilization' ? { utilization: measured.value } : {}),
  }
  const asIdle = groups.unready.length > 0 && measured.ratio > 1
  if (!asIdle && groups.missing.length === 0) {
    if (isWithin(measured.ratio, tolerance)) return { ...proposal, replicas: currentReplicas }
    return { ...proposal, replicas: Math.ceil(round(measured.ratio * groups.ready.size)) }
  }
  for (const name of groups.missing) counted.set(name, measured.ratio < 1 ? goal.fullOf(name) : 0)
  if (asIdle) for (const name of groups.unready) counted.set(name, 0)
  const { ratio } = measure(counted, goal)
  const turned = (measured.ratio < 1 && ratio > 1) || (measured.ratio > 1 && ratio < 1)
  const replicas = Math.ceil(round(ratio * counted.size))
  const isWrongWay = (ratio < 1 && replicas > currentReplicas) || (ratio > 1 && replicas < currentReplicas)
  return { ...proposal, replicas: isWithin(ratio, tolerance) || turned || isWrongWay ? currentReplicas : replicas }
}

/** Keeps 0.1 + 0.2 from asking for one more. */
const round = (value: number): number => Math.round(value * 1e9) / 1e9

function groupPods({ pods, usages, target, nowMs }: UsageFacts): {
  ready: Map<string, number>
  unready: string[]
  missing: string[]
} {
  const ready = new Map<string, number>()
  const unready: string[] = []
  const missing: string[] = []
  for (const pod of pods) {
    const name = pod.metadata.name ?? ''
    if (pod.metadata.deletionTimestamp !== undefined || pod.status?.phase === 'Failed') continue
    const usage = usages.get(name)
    if (pod.status?.phase === 'Pending') unready.push(name)
    else if (usage === undefined) missing.push(name)
    else if (target.resource === 'cpu' && isStarting(pod, usage, nowMs)) unready.push(name)
    else ready.set(name, usage.millis)
  }
  return { ready, unready, missing }
}

function isStarting(pod: Pod, usage: PodUsage, nowMs: number): boolean {
  const condition = podCondition(pod, 'Ready')
  const started = Date.parse(pod.status?.startTime ?? '')
  if (condition === undefined || Number.isNaN(started)) return true
  const changed = Date.parse(condition.lastTransitionTime ?? '')
  if (started + initializationMs > nowMs) return condition.status === 'False' || usage.atMs < changed + usage.windowMs
  return condition.status === 'False' && started + readinessDelayMs > changed
}

interface Goal {
  type: 'utilization' | 'average'
  goal: number
  /** Sum of the requests of these pods. */
  requested(names: Iterable<string>): number
  /** The usage at which the pod would be used as intended. */
  fullOf(name: string): number
}

function goalOf({ resource, container, utilization, averageMillis = 0 }: UsageTarget, pods: readonly Pod[]): Goal {
  if (utilization === undefined)
    return { type: 'average', goal: averageMillis, requested: () => 0, fullOf: () => averageMillis }
  const requests = new Map(pods.map((pod) => [pod.metadata.name ?? '', requestOf(pod, resource, container)]))
  const of = (name: string): number => requests.get(name) ?? 0
  return {
    type: 'utilization',
    goal: utilization,
    requested: (names) => [...names].reduce((sum, name) => sum + of(name), 0),
    fullOf: (name) => (of(name) * Math.max(100, utilization)) / 100,
  }
}

function requestOf({ metadata, spec }: Pod, resource: string, container: string | undefined): number {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  const containers = [...(spec?.containers ?? []), ...sidecars].filter(
    ({ name }) => container === undefined || name === container,
  )
  if (container !== undefined && containers.length === 0)
    throw new MetricError(`container ${container} not found in Pod ${metadata.name ?? ''}`)
  return containers.reduce((sum, { name, resources }) => {
    const request = resources?.requests?.[resource]
    if (request === undefined)
      throw new MetricError(`missing request for ${resource} in container ${name} of Pod ${metadata.name ?? ''}`)
    return sum + quantityToMillis(request)
  }, 0)
}

function measure(
  usages: ReadonlyMap<string, number>,
  goal: Goal,
): { ratio: number; value: number; averageMillis: number } {
  const total = [...usages.values()].reduce((sum, millis) => sum + millis, 0)
  const averageMillis = Math.trunc(total / usages.size)
  if (goal.type === 'average') return { ratio: averageMillis / goal.goal, value: averageMillis, averageMillis }
  const requested = goal.requested(usages.keys())
  if (requested === 0) throw new MetricError('no metrics returned matched known pods')
  const value = Math.trunc((total * 100) / requested)
  return { ratio: value / goal.goal, value, averageMillis }
}
