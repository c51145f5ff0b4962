// What selects a pod: its services and its controller. Pods of one such set are spread although nobody wrote a constraint.
import type { ReplicaSet, Service } from '../../common/api/generated/types.ts'
import type { IndexedInformer } from '../../common/client/create-informer.ts'
import type { Selector } from '../../common/machinery/labels.ts'
import { matchesLabels, selectorFromMap, selectorFromObject } from '../../common/machinery/labels.ts'
import { controllerOf } from '../controllers/ownership/controller-of.ts'
import { byNamespace } from '../controllers/runtime/indexes.ts'
import type { DefaultSelector } from './plugins/pod-topology-spread.ts'

/** Answers are remembered per set of labels and owner until a service or replica set changes. */
export function newDefaultSelector(
  services: IndexedInformer<Service>,
  replicaSets: IndexedInformer<ReplicaSet>,
): DefaultSelector {
  const known = new Map<string, Selector | undefined>()
  const forget = (): void => {
    known.clear()
  }
  services.subscribe({ onAdd: forget, onUpdate: forget, onDelete: forget })
  replicaSets.subscribe({
    onAdd: forget,
    onUpdate: (set, old) => {
      if (set.metadata.generation !== old.metadata.generation) forget()
    },
    onDelete: forget,
  })
  return (pod) => {
    const key = `${pod.labelsKey}\n${pod.ownerUid ?? ''}`
    if (known.has(key)) return known.get(key)
    const { labels } = pod.pod.metadata
    const requirements = services
      .byIndex(byNamespace, pod.namespace)
      .map((service) => selectorFromMap(service.spec?.selector))
      .filter((selector) => matchesLabels(selector, labels))
      .flat()
    const owner = controllerOf(pod.pod)
    const set = owner?.kind === 'ReplicaSet' ? replicaSets.get(`${pod.namespace}/${owner.name}`) : undefined
    if (set !== undefined && set.metadata.uid === owner?.uid)
      requirements.push(...selectorFromObject(set.spec?.selector))
    const selector = requirements.length === 0 ? undefined : requirements
    known.set(key, selector)
    return selector
  }
}
