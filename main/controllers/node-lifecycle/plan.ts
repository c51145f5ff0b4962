// Pure: what a node's silence and conditions mean for its status and taints.
import type { Node, NodeCondition, Taint } from '../../../common/api/generated/types.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import { canonicalJson } from '../pods/template-hash.ts'

export const notReadyTaint = 'node.kubernetes.io/not-ready'
export const unreachableTaint = 'node.kubernetes.io/unreachable'
export const unschedulableTaint = 'node.kubernetes.io/unschedulable'

const reportedConditions = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']

export function readyCondition(node: Node): NodeCondition | undefined {
  return node.status?.conditions?.find(({ type }) => type === 'Ready')
}

/** Conditions after the node has been silent for too long; undefined when they already say so. */
export function planSilence(node: Node, nowMs: number): NodeCondition[] | undefined {
  const conditions = [...(node.status?.conditions ?? [])]
  const now = formatTime(nowMs)
  let changed = false
  for (const type of reportedConditions) {
    const at = conditions.findIndex((condition) => condition.type === type)
    const known = conditions[at]
    if (known === undefined) {
      conditions.push({
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
        lastHeartbeatTime: node.metadata.creationTimestamp,
        lastTransitionTime: now,
      })
      changed = true
    } else if (known.status !== 'Unknown') {
      conditions[at] = {
        ...known,
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
        lastTransitionTime: now,
      }
      changed = true
    }
  }
  return changed ? conditions : undefined
}

/** Condition and status -> taint that keeps new pods away. */
const conditionTaints: Record<string, Record<string, string>> = {
  Ready: { False: notReadyTaint, Unknown: unreachableTaint },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
}
const managedNoSchedule = new Set([
  unschedulableTaint,
  ...Object.values(conditionTaints).flatMap((byStatus) => Object.values(byStatus)),
])

const executed = ({ key, effect }: Taint): boolean =>
  effect === 'NoExecute' && (key === notReadyTaint || key === unreachableTaint)

/** Lost, and not yet marked as a node that loses its pods. */
export const awaitsEviction = (node: Node): boolean =>
  (node.spec?.taints ?? []).every((taint) => !executed(taint)) &&
  ['False', 'Unknown'].includes(readyCondition(node)?.status ?? '')

/**
 * All taints the node should have; undefined when it has them. Taints of others are left alone. `eviction`: whether a lost node may
 * lose its pods; "keep" leaves that as it is.
 */
export function planTaints(node: Node, nowMs: number, eviction: 'evict' | 'spare' | 'keep'): Taint[] | undefined {
  const conditions = node.status?.conditions ?? []
  const noSchedule = new Set<string>()
  for (const { type, status } of conditions) {
    const key = conditionTaints[type]?.[status]
    if (key !== undefined) noSchedule.add(key)
  }
  if (node.spec?.unschedulable === true) noSchedule.add(unschedulableTaint)
  const ready = readyCondition(node)?.status
  const current = node.spec?.taints ?? []
  const loses = eviction === 'evict' || (eviction === 'keep' && current.some(executed))
  const noExecute = !loses
    ? undefined
    : ready === 'False'
      ? notReadyTaint
      : ready === 'Unknown'
        ? unreachableTaint
        : undefined
  const kept = current.filter(({ key, effect }) => {
    if (effect === 'NoSchedule' && managedNoSchedule.has(key)) return noSchedule.has(key)
    // A node that has not reported yet keeps the not-ready taint it registered with.
    if (executed({ key, effect })) return ready === undefined || key === noExecute
    return true
  })
  const has = (key: string, effect: string): boolean =>
    kept.some((taint) => taint.key === key && taint.effect === effect)
  const timeAdded = formatTime(nowMs)
  const added: Taint[] = [...noSchedule]
    .filter((key) => !has(key, 'NoSchedule'))
    .map((key) => ({ key, effect: 'NoSchedule', timeAdded }))
  if (noExecute !== undefined && !has(noExecute, 'NoExecute'))
    added.push({ key: noExecute, effect: 'NoExecute', timeAdded })
  const next = [...kept, ...added]
  return canonicalJson(next) === canonicalJson(current) ? undefined : next
}
