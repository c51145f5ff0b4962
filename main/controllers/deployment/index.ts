// Rolls a deployment's pod template out over replica sets: one per template, the newest growing while the others shrink.
import type { Deployment, ReplicaSet } from '../../../common/api/generated/types.ts'
import type { ReconcileResult } from '../../../common/client/controller.ts'
import { createController, keysOf, mapChanges, requeueAfter } from '../../../common/client/controller.ts'
import { deployments, pods, replicaSets } from '../../../common/client/resources.ts'
import { matchesLabels, selectorFromObject } from '../../../common/machinery/labels.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { applyAdoption, planAdoption } from '../ownership/adoption.ts'
import { controllerOf } from '../ownership/controller-of.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { byController, byNamespace, namespaceIndex, orphans, ownershipIndexes } from '../runtime/indexes.ts'
import { Rollout } from './rollout.ts'

export const newDeploymentController: ControllerFactory = (deps) => {
  const name = 'deployment-controller'
  const client = deps.client(name)
  const events = deps.events(name)
  const deploymentInformer = deps.informers.of(deployments, namespaceIndex)
  const setInformer = deps.informers.of(replicaSets, { ...ownershipIndexes, ...namespaceIndex })
  const podInformer = deps.informers.of(pods, ownershipIndexes)

  const deploymentsOfSet = (set: ReplicaSet): string[] => {
    const namespace = set.metadata.namespace ?? ''
    const owner = controllerOf(set)
    if (owner !== undefined) return owner.kind === 'Deployment' ? [`${namespace}/${owner.name}`] : []
    return deploymentInformer
      .byIndex(byNamespace, namespace)
      .filter((deployment) => matchesLabels(selectorFromObject(deployment.spec?.selector), set.metadata.labels))
      .map(objectKey)
  }

  async function reconcile(key: string): Promise<ReconcileResult> {
    const deployment = deploymentInformer.get(key)
    if (deployment === undefined) return
    if (selectsEverything(deployment)) {
      events.event(
        deployment,
        'Warning',
        'SelectingAll',
        'This deployment is selecting all pods. A non-empty selector is required.',
      )
      return
    }
    const sets = await claimSets(deployment)
    const podsOf = (of: readonly ReplicaSet[]) =>
      of.flatMap((set) => [...podInformer.byIndex(byController, set.metadata.uid ?? '')])
    const waitMs = await new Rollout({ client, events, clock: deps.clock, podsOf }, deployment, sets).run()
    return waitMs === undefined ? undefined : requeueAfter(waitMs)
  }

  function claimSets(deployment: Deployment): Promise<ReplicaSet[]> {
    const candidates = {
      owned: setInformer.byIndex(byController, deployment.metadata.uid ?? ''),
      orphans: setInformer.byIndex(orphans, deployment.metadata.namespace ?? ''),
    }
    const plan = planAdoption(deployment, selectorFromObject(deployment.spec?.selector), candidates)
    return applyAdoption({ client, owner: deployment, ownerRef: deployments, dependents: replicaSets, plan })
  }

  return createController({
    name,
    workers: 5,
    sources: [
      keysOf(deploymentInformer),
      mapChanges(setInformer, (set, old) =>
        old === undefined ? deploymentsOfSet(set) : new Set([...deploymentsOfSet(set), ...deploymentsOfSet(old)]),
      ),
      // Recreate waits for the last pod of the old revisions to be gone.
      mapChanges(podInformer, (pod, _old, change) => {
        const owner = change === 'delete' ? controllerOf(pod) : undefined
        if (owner?.kind !== 'ReplicaSet') return []
        const set = setInformer.get(`${pod.metadata.namespace ?? ''}/${owner.name}`)
        return set === undefined ? [] : deploymentsOfSet(set)
      }),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}

function selectsEverything(deployment: Deployment): boolean {
  const { matchLabels, matchExpressions } = deployment.spec?.selector ?? {}
  return Object.keys(matchLabels ?? {}).length === 0 && (matchExpressions ?? []).length === 0
}
