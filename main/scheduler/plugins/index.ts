// The plugins in the order in which they run. Filters that are cheap and exclude for good come first.
import type { SchedulerProfile } from '../configuration/profile.ts'
import { choosePlugins } from '../configuration/profile.ts'
import type { FilterPlugin, ScorePlugin } from '../framework/plugin.ts'
import type { DeviceSources } from '../devices/allocate.ts'
import type { VolumeSources } from '../volumes/claims.ts'
import type { VolumePlanFacts } from '../volumes/plan.ts'
import type { ImageArchitectures } from './image-architecture.ts'
import { newImageArchitecture } from './image-architecture.ts'
import { newDynamicResources } from './dynamic-resources.ts'
import { imageLocalityScore } from './image-locality.ts'
import { interPodAffinityFilter, newInterPodAffinityScore } from './inter-pod-affinity.ts'
import { newNodeAffinityFilter, newNodeAffinityScore } from './node-affinity.ts'
import { nodeName } from './node-name.ts'
import { nodePorts } from './node-ports.ts'
import { resourcesFilter } from './node-resources-fit.ts'
import { newNodeVolumeLimits } from './node-volume-limits.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'
import type { DefaultSelector } from './pod-topology-spread.ts'
import { newSpreadScore, spreadFilter } from './pod-topology-spread.ts'
import { newBalancedScore, newFitScore } from './resource-scores.ts'
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

/** Those of a profile, with its weights. */
export function newPlugins(sources: PluginSources, profile: SchedulerProfile): Plugins {
  const { imageArchitectures, defaultSelector, volumes, isVolumeTaken } = sources
  const architecture = newImageArchitecture(imageArchitectures)
  const devices = newDynamicResources(sources.devices)
  const filters = [
    nodeUnschedulable,
    nodeName,
    taintFilter,
    newNodeAffinityFilter(profile.addedAffinity),
    architecture.filter,
    nodePorts,
    resourcesFilter,
    newVolumeRestrictions(volumes),
    newNodeVolumeLimits(volumes),
    newVolumeBinding(volumes, isVolumeTaken),
    newVolumeZone(volumes),
    spreadFilter,
    interPodAffinityFilter,
    devices.filter,
  ]
  const scores = [
    taintScore,
    newNodeAffinityScore(profile.addedAffinity),
    architecture.score,
    newFitScore(profile.fit),
    newBalancedScore(profile.balanced),
    newSpreadScore(profile.spreadsByDefault ? defaultSelector : () => undefined),
    newInterPodAffinityScore(profile.hardPodAffinityWeight),
    imageLocalityScore,
    devices.score,
  ]
  return {
    filters: choosePlugins(filters, profile.filters).map(({ plugin }) => plugin),
    scores: choosePlugins(scores, profile.scores).map(({ plugin, weight }) => ({
      ...plugin,
      weight: weight ?? plugin.weight,
    })),
  }
}
