// Which services a pod stands behind, as a source of work: pods change often, what of them shows in endpoints rarely.
import type { Pod, Service } from '../../../common/api/generated/types.ts'
import type { KeySource } from '../../../common/client/controller.ts'
import type { IndexedInformer } from '../../../common/client/create-informer.ts'
import { matchesLabels, selectorFromMap } from '../../../common/machinery/labels.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { isPodFinished, isPodReady } from '../pods/pod-state.ts'
import { podAddresses } from './families.ts'
import { byNamespace } from '../runtime/indexes.ts'

/** Pod changes are gathered for this long: a rollout touches one service many times in a moment. */
const batchMs = 20

/** Both informers need the namespace index. */
export function servicesOfPods(services: IndexedInformer<Service>, pods: IndexedInformer<Pod>): KeySource {
  const servicesOf = (pod: Pod): string[] =>
    services
      .byIndex(byNamespace, pod.metadata.namespace ?? '')
      .filter((service) => matchesLabels(selectorFromMap(service.spec?.selector), pod.metadata.labels))
      .map(objectKey)
  return {
    synced: pods.synced,
    attach: (enqueue) => {
      const tell = (keys: Iterable<string>): void => {
        for (const key of keys) enqueue(key, batchMs)
      }
      return pods.subscribe({
        onAdd: (pod) => {
          tell(servicesOf(pod))
        },
        onUpdate: (pod, old) => {
          if (endpointFacts(pod) !== endpointFacts(old)) tell(new Set([...servicesOf(pod), ...servicesOf(old)]))
        },
        onDelete: (pod) => {
          tell(servicesOf(pod))
        },
      })
    },
  }
}

/** What of a pod shows in endpoints; other changes need no work. */
function endpointFacts(pod: Pod): string {
  const { deletionTimestamp, labels } = pod.metadata
  const { nodeName = '', hostname = '', subdomain = '' } = pod.spec ?? {}
  return JSON.stringify([
    podAddresses(pod),
    isPodReady(pod),
    isPodFinished(pod),
    deletionTimestamp !== undefined,
    nodeName,
    hostname,
    subdomain,
    labels,
  ])
}

/** A service whose endpoints are its selected pods; those of others are left to whoever made them. */
export const selectsPods = (service: Service): boolean =>
  service.spec?.selector !== undefined &&
  service.spec.type !== 'ExternalName' &&
  service.metadata.deletionTimestamp === undefined

export function selectedPods(service: Service, pods: IndexedInformer<Pod>): Pod[] {
  const selector = selectorFromMap(service.spec?.selector)
  return pods
    .byIndex(byNamespace, service.metadata.namespace ?? '')
    .filter((pod) => matchesLabels(selector, pod.metadata.labels))
}
