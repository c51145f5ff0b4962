// The informers behind the cluster's names.
import type { EndpointSlice, Service } from '../../../common/api/generated/types.ts'
import type { IndexedInformer } from '../../../common/client/create-informer.ts'
import { sliceService } from '../proxy/backends.ts'
import type { ClusterNames } from './records.ts'

export function informerNames(options: {
  services: IndexedInformer<Service>
  slices: IndexedInformer<EndpointSlice>
  domain: string
  dnsAddress: string
}): ClusterNames {
  const { services, slices, domain, dnsAddress } = options
  services.addIndexes({
    namespace: ({ metadata }) => [metadata.namespace ?? ''],
    clusterIP: ({ spec }) => (spec?.clusterIP === undefined || spec.clusterIP === 'None' ? [] : [spec.clusterIP]),
  })
  slices.addIndexes({
    service: (slice) => [sliceService(slice)],
    address: (slice) => (slice.endpoints ?? []).flatMap(({ addresses }) => addresses),
  })
  const service = (namespace: string, name: string): Service | undefined => services.get(`${namespace}/${name}`)
  return {
    domain,
    dnsAddress,
    service,
    slices: (namespace, name) => slices.byIndex('service', `${namespace}/${name}`),
    hasNamespace: (namespace) => services.byIndex('namespace', namespace).length > 0,
    serviceByAddress: (ip) => services.byIndex('clusterIP', ip)[0],
    endpointByAddress(ip) {
      for (const slice of slices.byIndex('address', ip)) {
        const [namespace = '', name = ''] = sliceService(slice).split('/')
        const endpoint = slice.endpoints?.find(({ addresses }) => addresses.includes(ip))
        if (endpoint !== undefined && service(namespace, name)?.spec?.clusterIP === 'None') return { endpoint, slice }
      }
      return undefined
    },
  }
}
