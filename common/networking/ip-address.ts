// The IPAddress by which a Service has a cluster IP: its name is the address, so that no two have the same.
import type { NetworkingV1IPAddress as IpAddress, Service } from '../api/generated/types.ts'
import { familyOf } from '../machinery/addresses.ts'

export const managedByLabel = 'ipaddress.kubernetes.io/managed-by'
export const allocator = 'ipallocator.k8s.io'

/** `address` in canonical form. */
export function ipAddressOf({ metadata }: Service, address: string): IpAddress {
  const { namespace = '', name = '' } = metadata
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: {
      name: address,
      labels: { 'ipaddress.kubernetes.io/ip-family': familyOf(address), [managedByLabel]: allocator },
    },
    spec: { parentRef: { resource: 'services', namespace, name } },
  }
}

/** The addresses of a Service, in canonical form where they were given so. */
export function clusterIpsOf({ spec }: Service): string[] {
  const { type, clusterIPs = [] } = spec ?? {}
  return type === 'ExternalName' || clusterIPs[0] === 'None' ? [] : clusterIPs.filter((address) => address !== '')
}
