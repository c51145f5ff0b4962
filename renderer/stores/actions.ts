// What a person can do to objects; each is one API write, the screens see the effect by watch.
import type { Deployment, ReplicaSet } from '../../common/api/generated/types.ts'
import type { Lab, Machine } from '../../common/api/lab/v1alpha1.ts'
import { api, resources, type KubeObject, type ResourceRef } from '../api/index.ts'

const target = (object: KubeObject): { name: string; namespace?: string } => ({
  name: object.metadata.name ?? '',
  namespace: object.metadata.namespace,
})

export const removeObject = (resource: ResourceRef, object: KubeObject, gracePeriodSeconds?: number): Promise<void> =>
  api.delete(resource, object.metadata.name ?? '', object.metadata.namespace, {
    propagationPolicy: 'Background',
    preconditions: { uid: object.metadata.uid },
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
  })

export const scaleObject = (resource: ResourceRef, object: KubeObject, replicas: number): Promise<unknown> =>
  api.patch(resource, { ...target(object), subresource: 'scale' }, 'application/merge-patch+json', {
    spec: { replicas },
  })

/** As `kubectl rollout restart`: a changed annotation in the template makes a new revision. */
export const restartRollout = (resource: ResourceRef, object: KubeObject): Promise<unknown> =>
  api.patch(resource, target(object), 'application/strategic-merge-patch+json', {
    spec: {
      template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': new Date().toISOString() } } },
    },
  })

export interface Revision {
  number: number
  replicaSet: ReplicaSet
  current: boolean
}

const revisionAnnotation = 'deployment.kubernetes.io/revision'

/** Newest first, from the ReplicaSets that the deployment owns. */
export function revisionsOf(deployment: Deployment, sets: Iterable<ReplicaSet>): Revision[] {
  const current = Number(deployment.metadata.annotations?.[revisionAnnotation] ?? 0)
  const found: Revision[] = []
  for (const set of sets) {
    if (set.metadata.ownerReferences?.some((owner) => owner.uid === deployment.metadata.uid) !== true) continue
    const number = Number(set.metadata.annotations?.[revisionAnnotation] ?? 0)
    found.push({ number, replicaSet: set, current: number === current })
  }
  return found.sort((a, b) => b.number - a.number)
}

/** As `kubectl rollout undo --to-revision`: the template of that revision becomes the deployment's again. */
export function rollBack(deployment: Deployment, revision: Revision): Promise<unknown> {
  const template = structuredClone(revision.replicaSet.spec?.template ?? {})
  delete template.metadata?.labels?.['pod-template-hash']
  return api.patch(resources.deployments, target(deployment), 'application/json-patch+json', [
    { op: 'test', path: '/metadata/resourceVersion', value: deployment.metadata.resourceVersion },
    { op: 'replace', path: '/spec/template', value: template },
  ])
}

export const setMachinePower = (machine: Machine, powerState: 'Running' | 'Stopped'): Promise<unknown> =>
  api.patch(resources.machines, target(machine), 'application/merge-patch+json', { spec: { powerState } })

export const setLabPower = (lab: Lab, powerState: 'Running' | 'Stopped'): Promise<unknown> =>
  api.patch(resources.labs, target(lab), 'application/merge-patch+json', { spec: { powerState } })

export const setCordoned = (node: KubeObject, cordoned: boolean): Promise<unknown> =>
  api.patch(resources.nodes, target(node), 'application/strategic-merge-patch+json', {
    spec: { unschedulable: cordoned ? true : null },
  })
