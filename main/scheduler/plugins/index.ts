// The plugins in the order in which they run. Filters that are cheap and exclude for good come first.
import type { FilterPlugin, ScorePlugin } from '../framework/plugin.ts'
import { balancedAllocationScore } from './balanced-allocation.ts'
import type { ImageArchitectures } from './image-architecture.ts'
import { newImageArchitecture } from './image-architecture.ts'
import { imageLocalityScore } from './image-locality.ts'
import { interPodAffinityFilter, interPodAffinityScore } from './inter-pod-affinity.ts'
import { nodeAffinityFilter, nodeAffinityScore } from './node-affinity.ts'
import { nodeName } from './node-name.ts'
import { nodePorts } from './node-ports.ts'
import { leastAllocatedScore, resourcesFilter } from './node-resources-fit.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'
import type { DefaultSelector } from './pod-topology-spread.ts'
import { newSpreadScore, spreadFilter } from './pod-topology-spread.ts'
import { taintFilter, taintScore } from './taint-toleration.ts'

export interface Plugins {
  readonly filters: readonly FilterPlugin[]
  readonly scores: readonly ScorePlugin[]
}

export interface PluginSources {
  imageArchitectures: ImageArchitectures
  defaultSelector: DefaultSelector
}

export function newPlugins({ imageArchitectures, defaultSelector }: PluginSources): Plugins {
  const architecture = newImageArchitecture(imageArchitectures)
  return {
    filters: [
      nodeUnschedulable,
      nodeName,
      taintFilter,
      nodeAffinityFilter,
      architecture.filter,
      nodePorts,
      resourcesFilter,
      spreadFilter,
      interPodAffinityFilter,
    ],
    scores: [
      taintScore,
      nodeAffinityScore,
      architecture.score,
      leastAllocatedScore,
      balancedAllocationScore,
      newSpreadScore(defaultSelector),
      interPodAffinityScore,
      imageLocalityScore,
    ],
  }
}
