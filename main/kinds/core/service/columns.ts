// `kubectl get services [-o wide]`.
import type { Service } from '../../../../common/api/generated/types.ts'
import { ageColumn, formatLabels, nameColumn } from '../../columns.ts'
import type { Column } from '../../kind.ts'

export const serviceColumns: readonly Column<Service>[] = [
  nameColumn,
  { name: 'Type', type: 'string', cell: ({ spec }) => spec?.type ?? '' },
  { name: 'Cluster-IP', type: 'string', cell: ({ spec }) => spec?.clusterIPs?.[0] ?? '<none>' },
  { name: 'External-IP', type: 'string', cell: externalAddress },
  { name: 'Port(s)', type: 'string', cell: ports },
  ageColumn,
  { name: 'Selector', type: 'string', priority: 1, cell: ({ spec }) => formatLabels(spec?.selector) },
]

function externalAddress({ spec = {}, status }: Service): string {
  const external = spec.externalIPs ?? []
  switch (spec.type) {
    case 'ClusterIP':
    case 'NodePort':
      return external.length > 0 ? external.join(',') : '<none>'
    case 'LoadBalancer': {
      const ingress = (status?.loadBalancer?.ingress ?? [])
        .map(({ ip, hostname }) => ip || hostname || '')
        .filter((text) => text !== '')
      return [...[...new Set(ingress)].sort(), ...external].join(',') || '<pending>'
    }
    case 'ExternalName':
      return spec.externalName ?? ''
    default:
      return '<unknown>'
  }
}

function ports({ spec }: Service): string {
  const text = (spec?.ports ?? [])
    .map(
      ({ port, nodePort = 0, protocol = '' }) =>
        `${String(port)}${nodePort > 0 ? `:${String(nodePort)}` : ''}/${protocol}`,
    )
    .join(',')
  return text === '' ? '<none>' : text
}
