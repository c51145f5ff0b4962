import IconService from '~icons/lucide/network'
import IconSlice from '~icons/lucide/route'
import type { EndpointSlice, Service } from '../../common/api/generated/types.ts'
import { resources } from '../api/index.ts'
import { serviceState } from '../explain/workload-state.ts'
import { ageColumn, defineKindView, labelsText, nameColumn, namespaceColumn } from './kind-view.ts'

export const portsText = (service: Service): string =>
  (service.spec?.ports ?? [])
    .map(
      (port) =>
        `${String(port.port)}${port.nodePort === undefined ? '' : `:${String(port.nodePort)}`}/${port.protocol ?? 'TCP'}`,
    )
    .join(', ')

export const services = defineKindView<Service>({
  resource: resources.services,
  title: 'Services',
  singular: 'Service',
  about: 'One stable name and address in front of the ready pods that its selector matches.',
  icon: IconService,
  group: 'Network',
  columns: [
    nameColumn(),
    namespaceColumn(),
    { id: 'type', title: 'Type', track: 'minmax(84px, 1fr)', text: (one) => one.spec?.type ?? 'ClusterIP' },
    { id: 'ip', title: 'Cluster address', track: '112px', mono: true, text: (one) => one.spec?.clusterIP ?? '' },
    { id: 'ports', title: 'Ports', track: 'minmax(90px, 1.4fr)', mono: true, text: portsText },
    {
      id: 'selector',
      title: 'Selector',
      track: 'minmax(100px, 2fr)',
      mono: true,
      minTableWidth: 820,
      text: (one) => labelsText(one.spec?.selector),
    },
    ageColumn(),
  ],
  state: serviceState,
  summary: (one) => [
    {
      term: 'Name in the cluster',
      text: `${one.metadata.name ?? ''}.${one.metadata.namespace ?? ''}.svc.cluster.local`,
      mono: true,
    },
    { term: 'Cluster address', text: one.spec?.clusterIP ?? '', mono: true },
    { term: 'Ports', text: portsText(one), mono: true },
    { term: 'Selector', text: labelsText(one.spec?.selector), mono: true },
  ],
})

const endpointCount = (slice: EndpointSlice, ready: boolean): number =>
  (slice.endpoints ?? []).filter((one) => (one.conditions?.ready !== false) === ready).length

export const endpointSlices = defineKindView<EndpointSlice>({
  resource: resources.endpointSlices,
  title: 'EndpointSlices',
  singular: 'EndpointSlice',
  about: 'The addresses behind a Service, written by the control plane as pods become ready.',
  icon: IconSlice,
  group: 'Network',
  columns: [
    nameColumn(),
    namespaceColumn(),
    {
      id: 'service',
      title: 'Service',
      track: 'minmax(90px, 1.4fr)',
      mono: true,
      text: (one) => one.metadata.labels?.['kubernetes.io/service-name'] ?? '',
    },
    { id: 'ready', title: 'Ready', track: '56px', align: 'end', text: (one) => endpointCount(one, true) },
    { id: 'unready', title: 'Not ready', track: '66px', align: 'end', text: (one) => endpointCount(one, false) },
    {
      id: 'addresses',
      title: 'Addresses',
      track: 'minmax(120px, 3fr)',
      mono: true,
      minTableWidth: 700,
      text: (one) => (one.endpoints ?? []).flatMap((endpoint) => endpoint.addresses).join(', '),
    },
    ageColumn(),
  ],
  summary: (one) => [
    { term: 'Service', text: one.metadata.labels?.['kubernetes.io/service-name'] ?? '', mono: true },
    {
      term: 'Ready',
      text: (one.endpoints ?? [])
        .filter((endpoint) => endpoint.conditions?.ready !== false)
        .flatMap((endpoint) => endpoint.addresses)
        .join(', '),
      mono: true,
    },
    {
      term: 'Ports',
      text: (one.ports ?? []).map((port) => `${String(port.port ?? '')}/${port.protocol ?? 'TCP'}`).join(', '),
      mono: true,
    },
  ],
})
