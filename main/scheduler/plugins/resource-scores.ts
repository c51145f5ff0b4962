// How well a pod's resources suit a node: by what stays free, by what is used, or by how evenly.
import type { FitStrategy, WeightedResource } from '../configuration/profile.ts'
import type { ScorePlugin } from '../framework/plugin.ts'
import type { NodeState } from '../state/node-state.ts'
import type { PodFacts } from '../state/pod-facts.ts'
import type { Resources } from '../state/pod-resources.ts'

const maxScore = 100

function amountOf(resources: Resources, name: string): number {
  switch (name) {
    case 'cpu':
      return resources.cpuMillis
    case 'memory':
      return resources.memory
    case 'ephemeral-storage':
      return resources.ephemeralStorage
    default:
      return resources.others.get(name) ?? 0
  }
}

/** Pods that ask for no cpu or memory count as if they asked for a little; of other things they take nothing. */
const isAlwaysUsed = (name: string): boolean => name === 'cpu' || name === 'memory'

/** What of the resource would be used with the pod; undefined: it does not count. Asked for every node: it makes no garbage. */
function useOf(pod: PodFacts, node: NodeState, name: string): number | undefined {
  if (isAlwaysUsed(name)) return amountOf(node.scored, name) + amountOf(pod.scoring, name)
  const wanted = amountOf(pod.requests, name)
  if (wanted === 0 && name !== 'ephemeral-storage') return undefined
  return amountOf(node.requested, name) + wanted
}

export function newFitScore({ type, resources, shape }: FitStrategy): ScorePlugin {
  const of: Record<FitStrategy['type'], (total: number, used: number) => number> = {
    LeastAllocated: (total, used) => (used > total ? 0 : Math.floor(((total - used) * maxScore) / total)),
    MostAllocated: (total, used) => Math.floor((Math.min(used, total) * maxScore) / total),
    RequestedToCapacityRatio: (total, used) =>
      interpolate(shape, used > total ? 100 : Math.floor((used * 100) / total)),
  }
  const partOf = of[type]
  return {
    name: 'NodeResourcesFit',
    weight: 1,
    prepare(pod) {
      const score = (node: NodeState): number => {
        let sum = 0
        let weights = 0
        for (const { name, weight } of resources) {
          const total = amountOf(node.allocatable, name)
          const used = total === 0 ? undefined : useOf(pod, node, name)
          if (used === undefined) continue
          const part = partOf(total, used)
          // As upstream: what scores nothing by its shape does not count at all.
          if (type === 'RequestedToCapacityRatio' && part === 0) continue
          sum += part * weight
          weights += weight
        }
        if (weights === 0) return 0
        return type === 'RequestedToCapacityRatio' ? Math.round(sum / weights) : Math.floor(sum / weights)
      }
      const words = type === 'LeastAllocated' ? 'would stay free' : 'by what would be used'
      const names = resources.map(({ name }) => name).join(' and ')
      return { score, reason: (node) => `${String(score(node))} % of ${names} ${words}` }
    },
  }
}

function deviation(parts: readonly number[]): number {
  const [first = 0, second = 0] = parts
  if (parts.length < 2) return 0
  // The same as below, without its rounding errors.
  if (parts.length === 2) return Math.abs(first - second) / 2
  const mean = parts.reduce((sum, part) => sum + part, 0) / parts.length
  return Math.sqrt(parts.reduce((sum, part) => sum + (part - mean) ** 2, 0) / parts.length)
}

/** A broken line through the points; flat before the first and after the last. */
function interpolate(shape: FitStrategy['shape'], utilization: number): number {
  const at = shape.findIndex((point) => utilization <= point.utilization)
  const right = shape[at]
  if (right === undefined) return (shape.at(-1)?.score ?? 0) * 10
  const left = shape[at - 1]
  if (left === undefined) return right.score * 10
  const part = (utilization - left.utilization) / (right.utilization - left.utilization)
  return Math.trunc((left.score + (right.score - left.score) * part) * 10)
}

/** Prefers nodes where all resources would be used to the same part, so that none is left over alone. */
export function newBalancedScore(resources: readonly WeightedResource[]): ScorePlugin {
  return {
    name: 'NodeResourcesBalancedAllocation',
    weight: 1,
    prepare(pod) {
      // A pod that asks for nothing cannot change any balance.
      if (resources.every(({ name }) => amountOf(pod.requests, name) === 0)) return undefined
      const score = (node: NodeState): number => {
        const parts: number[] = []
        for (const { name } of resources) {
          const total = amountOf(node.allocatable, name)
          const wanted = amountOf(pod.requests, name)
          if (total === 0 || (wanted === 0 && !isAlwaysUsed(name) && name !== 'ephemeral-storage')) continue
          parts.push(Math.min(1, (amountOf(node.requested, name) + wanted) / total))
        }
        return Math.floor((1 - deviation(parts)) * maxScore)
      }
      return { score }
    },
  }
}
