// How many pods the owners of some pods want in all: built-in workloads from the informers, any other kind by its scale subresource.
import type { OwnerReference, Pod, Scale } from '../../../common/api/generated/types.ts'
import { resourcePath } from '../../../common/client/create-client.ts'
import { discoverResources } from '../../../common/client/discovery.ts'
import { deployments, replicaSets, replicationControllers, statefulSets } from '../../../common/client/resources.ts'
import { parseApiVersion } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { controllerOf } from '../ownership/controller-of.ts'
import type { ControllerDeps } from '../runtime/deps.ts'

export interface OwnerScale {
  scale: number
  /** Names of pods without a controller. */
  unmanaged: string[]
}

interface Found {
  uid: string
  replicas: number
}

export type OwnerScaleFinder = (pods: readonly Pod[], signal: AbortSignal) => Promise<OwnerScale>

/** The finder throws an Error for a person when an owner cannot be found or cannot be scaled. */
export function newOwnerScaleFinder(deps: ControllerDeps, fieldManager: string): OwnerScaleFinder {
  const { transport } = deps.client(fieldManager)
  const deploymentInformer = deps.informers.of(deployments)
  const setInformer = deps.informers.of(replicaSets)
  const statefulInformer = deps.informers.of(statefulSets)
  const oldInformer = deps.informers.of(replicationControllers)

  const builtIn: Record<string, (key: string, owner: OwnerReference) => Found | undefined> = {
    'apps/ReplicaSet': (key, owner) => {
      const set = setInformer.get(key)
      if (set?.metadata.uid !== owner.uid) return undefined
      const above = controllerOf(set)
      if (above?.kind !== 'Deployment') return { uid: owner.uid, replicas: set.spec?.replicas ?? 1 }
      const deployment = deploymentInformer.get(`${set.metadata.namespace ?? ''}/${above.name}`)
      return deployment?.metadata.uid === above.uid
        ? { uid: above.uid, replicas: deployment.spec?.replicas ?? 1 }
        : undefined
    },
    'apps/StatefulSet': (key, owner) => {
      const set = statefulInformer.get(key)
      return set?.metadata.uid === owner.uid ? { uid: owner.uid, replicas: set.spec?.replicas ?? 1 } : undefined
    },
    '/ReplicationController': (key, owner) => {
      const controller = oldInformer.get(key)
      return controller?.metadata.uid === owner.uid
        ? { uid: owner.uid, replicas: controller.spec?.replicas ?? 1 }
        : undefined
    },
  }

  async function byScale(namespace: string, owner: OwnerReference, signal: AbortSignal): Promise<Found | undefined> {
    const { group } = parseApiVersion(owner.apiVersion)
    const { resources } = await discoverResources(transport, signal)
    const resource = resources.find((candidate) => candidate.group === group && candidate.kind === owner.kind)
    if (resource === undefined) return undefined
    const path = resourcePath(resource, { namespace, name: owner.name, subresource: 'scale' })
    try {
      const scale = await transport.request<Scale>({ method: 'GET', path, signal })
      return scale.metadata.uid === owner.uid ? { uid: owner.uid, replicas: scale.spec?.replicas ?? 0 } : undefined
    } catch (error) {
      if (!isReason(error, 'NotFound') && !isReason(error, 'MethodNotAllowed')) throw error
      const name = group === '' ? resource.plural : `${resource.plural}.${group}`
      throw new Error(`${name} does not implement the scale subresource`, { cause: error })
    }
  }

  return async (pods, signal) => {
    const byOwner = new Map<string, number>()
    const seen = new Set<string>()
    const unmanaged: string[] = []
    for (const pod of pods) {
      const { name = '', namespace = '' } = pod.metadata
      const owner = controllerOf(pod)
      if (owner === undefined) {
        unmanaged.push(name)
        continue
      }
      if (seen.has(owner.uid)) continue
      seen.add(owner.uid)
      const find = builtIn[`${parseApiVersion(owner.apiVersion).group}/${owner.kind}`]
      const found =
        find === undefined ? await byScale(namespace, owner, signal) : find(`${namespace}/${owner.name}`, owner)
      if (found === undefined) throw new Error(`found no controllers for pod "${name}"`)
      // Several ReplicaSets of one Deployment count once.
      byOwner.set(found.uid, found.replicas)
    }
    return { scale: [...byOwner.values()].reduce((sum, replicas) => sum + replicas, 0), unmanaged }
  }
}
