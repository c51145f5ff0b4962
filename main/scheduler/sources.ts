// Everything that the scheduler watches, and what its plugins see of it.
import type { KubeClient } from '../../common/client/client.ts'
import {
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  deviceClasses,
  images,
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  podDisruptionBudgets,
  pods,
  replicaSets,
  replicationControllers,
  resourceClaims,
  resourceSlices,
  services,
  statefulSets,
  storageClasses,
} from '../../common/client/resources.ts'
import type { SharedInformers } from '../../common/client/shared-informers.ts'
import type { Clock } from '../../common/machinery/clock.ts'
import { namespaceIndex } from '../controllers/runtime/indexes.ts'
import { DeviceClaims } from './devices/device-claims.ts'
import type { DeviceSelector } from './devices/search.ts'
import { newImageArchitectures } from './image-architectures.ts'
import type { PluginSources } from './plugins/index.ts'
import { newDefaultSelector } from './spread-defaults.ts'
import { VolumeBinder } from './volumes/volume-binder.ts'
import type { WatchedCluster } from './watch-cluster.ts'

export interface SchedulerSources {
  watched: WatchedCluster
  plugins: PluginSources
  volumeBinder: VolumeBinder
  budgets: ReturnType<typeof podDisruptionBudgetsOf>
  /** All that must be known before the first decision. */
  synced: Promise<unknown>
  /** The informers may be others' too: they go on. */
  stop(): void
}

const podDisruptionBudgetsOf = (informers: SharedInformers) => informers.of(podDisruptionBudgets)

const noDeviceSelector: DeviceSelector = () => {
  throw new Error('device selectors cannot be evaluated here')
}

export function openSources(options: {
  client: KubeClient
  informers: SharedInformers
  clock: Clock
  deviceSelector?: DeviceSelector
}): SchedulerSources {
  const { client, informers, clock, deviceSelector = noDeviceSelector } = options
  const storage = {
    volumes: informers.of(persistentVolumes),
    classes: informers.of(storageClasses),
    nodes: informers.of(csiNodes),
    drivers: informers.of(csiDrivers),
    capacities: informers.of(csiStorageCapacities),
  }
  const devices = {
    claims: informers.of(resourceClaims),
    slices: informers.of(resourceSlices),
    classes: informers.of(deviceClasses),
  }
  const selecting = {
    services: informers.of(services, namespaceIndex),
    replicaSets: informers.of(replicaSets),
    statefulSets: informers.of(statefulSets),
    replicationControllers: informers.of(replicationControllers),
  }
  const watched: WatchedCluster = {
    pods: informers.of(pods),
    nodes: informers.of(nodes),
    namespaces: informers.of(namespaces),
    images: informers.of(images),
    claims: informers.of(persistentVolumeClaims),
    storage: Object.values(storage),
    deviceClaims: devices.claims,
    devices: [devices.slices, devices.classes],
  }
  const volumeBinder = new VolumeBinder({ client, claims: watched.claims, clock })
  const imageArchitectures = newImageArchitectures(watched.images)
  const defaultSelector = newDefaultSelector(selecting)
  const deviceClaims = new DeviceClaims(devices)
  const plugins: PluginSources = {
    imageArchitectures: imageArchitectures.of,
    defaultSelector: defaultSelector.of,
    volumes: {
      claim: (key) => watched.claims.get(key),
      volume: (name) => storage.volumes.get(name),
      volumes: () => storage.volumes.list(),
      storageClass: (name) => storage.classes.get(name),
      csiNode: (name) => storage.nodes.get(name),
      csiDriver: (name) => storage.drivers.get(name),
      storageCapacities: () => storage.capacities.list(),
    },
    isVolumeTaken: volumeBinder.isTaken,
    devices: { claims: deviceClaims, selector: deviceSelector },
  }
  // Images are an extra of the lab: a server without that kind must not keep pods from being placed.
  const needed = [
    watched.pods,
    watched.nodes,
    watched.namespaces,
    watched.claims,
    ...watched.storage,
    ...Object.values(devices),
    ...Object.values(selecting),
  ]
  return {
    watched,
    plugins,
    volumeBinder,
    budgets: podDisruptionBudgetsOf(informers),
    synced: Promise.all(needed.map(({ synced }) => synced)),
    stop() {
      imageArchitectures.stop()
      defaultSelector.stop()
      deviceClaims.stop()
    },
  }
}
