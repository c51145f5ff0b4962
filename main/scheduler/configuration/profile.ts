// What of a scheduler can be configured: which plugins decide for the pods that name it, and how they weigh.
import type { NodeAffinity } from '../../../common/api/generated/types.ts'

export interface SchedulerConfiguration {
  /** At least one; names differ. */
  profiles: readonly SchedulerProfile[]
  /** Of all nodes, how many possible ones are enough; undefined: by the size of the cluster. */
  percentageOfNodesToScore: number | undefined
  backoff: BackoffLimits
}

export interface BackoffLimits {
  initialMs: number
  maxMs: number
}

export interface SchedulerProfile {
  /** Pods with this spec.schedulerName are scheduled by it. */
  schedulerName: string
  filters: PluginChoice
  scores: PluginChoice
  /** Whether room is made for pods that fit nowhere. */
  preempts: boolean
  percentageOfNodesToScore: number | undefined
  fit: FitStrategy
  balanced: readonly WeightedResource[]
  /** What a required affinity term of a placed pod is worth to a newcomer that satisfies it. */
  hardPodAffinityWeight: number
  /** Every pod has this node affinity besides its own. */
  addedAffinity: NodeAffinity | undefined
  /** Pods that are selected by something are spread although they do not ask for it. */
  spreadsByDefault: boolean
}

/** Changes to the defaults, in order. */
export type PluginChoice = readonly PluginSet[]
export interface PluginSet {
  /** Names; "*": all that would run without this. */
  disabled: readonly string[]
  enabled: readonly { name: string; weight: number | undefined }[]
}

export interface WeightedResource {
  name: string
  weight: number
}

export interface FitStrategy {
  type: 'LeastAllocated' | 'MostAllocated' | 'RequestedToCapacityRatio'
  resources: readonly WeightedResource[]
  /** Of RequestedToCapacityRatio: score (0-10) by percent used, in rising order. */
  shape: readonly { utilization: number; score: number }[]
}

export const cpuAndMemory: readonly WeightedResource[] = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
]

export const defaultProfile: SchedulerProfile = {
  schedulerName: 'default-scheduler',
  filters: [],
  scores: [],
  preempts: true,
  percentageOfNodesToScore: undefined,
  fit: { type: 'LeastAllocated', resources: cpuAndMemory, shape: [] },
  balanced: cpuAndMemory,
  hardPodAffinityWeight: 1,
  addedAffinity: undefined,
  spreadsByDefault: true,
}

export const defaultConfiguration: SchedulerConfiguration = {
  profiles: [defaultProfile],
  percentageOfNodesToScore: undefined,
  backoff: { initialMs: 1_000, maxMs: 10_000 },
}

/** The plugins that run, in order, with their weights: undefined is the plugin's own. */
export function choosePlugins<T extends { readonly name: string }>(
  known: readonly T[],
  choice: PluginChoice,
): { plugin: T; weight: number | undefined }[] {
  let chosen = known.map((plugin) => ({ plugin, weight: undefined as number | undefined }))
  for (const { disabled, enabled } of choice) {
    if (disabled.includes('*')) chosen = []
    else chosen = chosen.filter(({ plugin }) => !disabled.includes(plugin.name))
    for (const { name, weight } of enabled) {
      const present = chosen.find(({ plugin }) => plugin.name === name)
      const plugin = known.find((other) => other.name === name)
      if (present !== undefined) present.weight = weight ?? present.weight
      else if (plugin !== undefined) chosen.push({ plugin, weight })
    }
  }
  return chosen
}
