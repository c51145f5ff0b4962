// The plugins in the order in which they run. Filters that are cheap and exclude for good come first.
import type { FilterPlugin, ScorePlugin } from '../framework/plugin.ts'
import type { DeviceSources } from '../devices/allocate.ts'
import type { VolumeSources } from '../volumes/claims.ts'
import type { VolumePlanFacts } from '../volumes/plan.ts'
import { balancedAllocationScore } from './balanced-allocation.ts'
import type { ImageArchitectures } from './image-architecture.ts'
import { newImageArchitecture } from './image-architecture.ts'
import { newDynamicResources } from './dynamic-resources.ts'
import { imageLocalityScore } from './image-locality.ts'
import { interPodAffinityFilter, interPodAffinityScore } from './inter-pod-affinity.ts'
import { nodeAffinityFilter, nodeAffinityScore } from './node-affinity.ts'
import { nodeName } from './node-name.ts'
import { nodePorts } from './node-ports.ts'
import { leastAllocatedScore, resourcesFilter } from './node-resources-fit.ts'
import { newNodeVolumeLimits } from './node-volume-limits.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'
import type { DefaultSelector } from './pod-topology-spread.ts'
import { newSpreadScore, spreadFilter } from './pod-topology-spread.ts'
import { taintFilter, taintScore } from './taint-toleration.ts'
import { newVolumeBinding } from './volume-binding.ts'
import { newVolumeRestrictions } from './volume-restrictions.ts'
import { newVolumeZone } from './volume-zone.ts'

export interface Plugins {
  readonly filters: readonly FilterPlugin[]
  readonly scores: readonly ScorePlugin[]
}

export interface PluginSources {
  imageArchitectures: ImageArchitectures
  defaultSelector: DefaultSelector
  volumes: VolumeSources
  /** Volumes that pods placed a moment ago are getting. */
  isVolumeTaken: VolumePlanFacts['isTaken']
  devices: DeviceSources
}

export function newPlugins(sources: PluginSources): Plugins {
  const { imageArchitectures, defaultSelector, volumes, isVolumeTaken } = sources
  const resources = newDynamicResources(sources.devices)
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
      newVolumeRestrictions(volumes),
      newNodeVolumeLimits(volumes),
      newVolumeBinding(volumes, isVolumeTaken),
      newVolumeZone(volumes),
      spreadFilter,
      interPodAffinityFilter,
      resources.filter,
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
      resources.score,
    ],
  }
}
