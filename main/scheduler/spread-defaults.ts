// What selects a pod: its services and its controller. Pods of one such set are spread although nobody wrote a constraint.
import type { ReplicaSet, ReplicationController, Service, StatefulSet } from '../../common/api/generated/types.ts'
import type { IndexedInformer } from '../../common/client/create-informer.ts'
import type { Selector } from '../../common/machinery/labels.ts'
import { matchesLabels, selectorFromMap, selectorFromObject } from '../../common/machinery/labels.ts'
import type { KubeObject } from '../../common/machinery/meta.ts'
import { controllerOf } from '../controllers/ownership/controller-of.ts'
import { byNamespace } from '../controllers/runtime/indexes.ts'
import type { DefaultSelector } from './plugins/pod-topology-spread.ts'
import type { PodFacts } from './state/pod-facts.ts'

export interface SelectorSources {
  services: IndexedInformer<Service>
  replicaSets: IndexedInformer<ReplicaSet>
  statefulSets: IndexedInformer<StatefulSet>
  replicationControllers: IndexedInformer<ReplicationController>
}

/** Answers are remembered per set of labels and owner until one of the sources changes. */
export function newDefaultSelector(sources: SelectorSources): { of: DefaultSelector; stop: () => void } {
  const { services, replicaSets, statefulSets, replicationControllers } = sources
  const known = new Map<string, Selector | undefined>()
  const forget = (): void => {
    known.clear()
  }
  const subscriptions = [services.subscribe({ onAdd: forget, onUpdate: forget, onDelete: forget })]
  const onUpdate = (owner: KubeObject, old: KubeObject): void => {
    if (owner.metadata.generation !== old.metadata.generation) forget()
  }
  for (const owners of [replicaSets, statefulSets, replicationControllers])
    subscriptions.push(owners.subscribe({ onAdd: forget, onUpdate, onDelete: forget }))
  const of: DefaultSelector = (pod) => {
    const key = `${pod.labelsKey}\n${pod.ownerUid ?? ''}`
    if (known.has(key)) return known.get(key)
    const { labels } = pod.pod.metadata
    const requirements = services
      .byIndex(byNamespace, pod.namespace)
      .map((service) => selectorFromMap(service.spec?.selector))
      .filter((selector) => matchesLabels(selector, labels))
      .flat()
    requirements.push(...selectorOfOwner(pod))
    const selector = requirements.length === 0 ? undefined : requirements
    known.set(key, selector)
    return selector
  }
  const stop = (): void => {
    for (const unsubscribe of subscriptions) unsubscribe()
  }
  return { of, stop }

  function selectorOfOwner(pod: PodFacts): Selector {
    const owner = controllerOf(pod.pod)
    const key = `${pod.namespace}/${owner?.name ?? ''}`
    if (owner?.kind === 'ReplicationController') {
      const found = replicationControllers.get(key)
      return found?.metadata.uid === owner.uid ? selectorFromMap(found.spec?.selector) : []
    }
    const sets = owner?.kind === 'ReplicaSet' ? replicaSets : owner?.kind === 'StatefulSet' ? statefulSets : undefined
    const found = sets?.get(key)
    return found !== undefined && found.metadata.uid === owner?.uid ? selectorFromObject(found.spec?.selector) : []
  }
}
