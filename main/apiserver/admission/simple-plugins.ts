// Plugins of one rule each, off unless a cluster asks for them.
import type { Pod, Service } from '../../../common/api/generated/types.ts'
import { forbidden, notFound } from '../../../common/machinery/status.ts'
import { apiServerUser } from '../auth/bootstrap.ts'
import { lookup } from '../registry/context.ts'
import { type AdmissionPlugin, concernsCore, isCreate } from './admission.ts'

/** NamespaceExists: like NamespaceLifecycle, for creates alone. */
export const namespaceExists: AdmissionPlugin = {
  name: 'NamespaceExists',
  validate({ operation, resource, namespace, registry }) {
    if (operation === 'DELETE' || !resource.namespaced) return
    if (lookup(registry, '', 'namespaces', undefined, namespace) === undefined)
      throw notFound({ group: '', resource: 'namespaces' }, namespace)
  },
}

/** AlwaysAdmit and AlwaysDeny: for tests of clusters. */
export const alwaysAdmit: AdmissionPlugin = { name: 'AlwaysAdmit' }
export const alwaysDeny: AdmissionPlugin = {
  name: 'AlwaysDeny',
  connects: true,
  validate({ resourceName, name, request }) {
    // What the server writes to be able to start.
    if (request.user.name === apiServerUser.name) return
    throw forbidden(resourceName, name, 'admission control is denying all modifications')
  },
}

const hostname = 'kubernetes.io/hostname'

/** LimitPodHardAntiAffinityTopology: nobody keeps others off more than one node. */
export const limitPodHardAntiAffinityTopology: AdmissionPlugin = {
  name: 'LimitPodHardAntiAffinityTopology',
  concerns: concernsCore('pods'),
  validate(attributes) {
    if (!isCreate(attributes)) return
    const required = (attributes.object as Pod).spec?.affinity?.podAntiAffinity
      ?.requiredDuringSchedulingIgnoredDuringExecution
    const wrong = required?.find(({ topologyKey }) => topologyKey !== hostname)
    if (wrong === undefined) return
    throw forbidden(
      attributes.resourceName,
      attributes.name,
      `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${wrong.topologyKey} but only key ${hostname} is allowed`,
    )
  },
}

/** DenyServiceExternalIPs: addresses of Services are given by the cluster, not taken by users. */
export const denyServiceExternalIPs: AdmissionPlugin = {
  name: 'DenyServiceExternalIPs',
  concerns: concernsCore('services'),
  validate({ operation, object, old, resourceName, name }) {
    if (operation !== 'CREATE' && operation !== 'UPDATE') return
    const before = (old as Service | undefined)?.spec?.externalIPs ?? []
    const added = ((object as Service).spec?.externalIPs ?? []).some((address) => !before.includes(address))
    if (added) throw forbidden(resourceName, name, 'Use of external IPs is denied by admission control')
  },
}
