// Which IP families the endpoints of a service have.
import type { Pod, Service } from '../../../common/api/generated/types.ts'
import { familyOf, type IpFamily } from '../../../common/machinery/addresses.ts'

export function familiesOf({ spec = {} }: Service): IpFamily[] {
  const families = (spec.ipFamilies ?? []).filter((family) => family === 'IPv4' || family === 'IPv6')
  if (families.length > 0) return families
  const { clusterIP = '' } = spec
  return clusterIP === '' || clusterIP === 'None' ? ['IPv4', 'IPv6'] : [familyOf(clusterIP)]
}

export const podAddresses = ({ status = {} }: Pod): string[] =>
  (status.podIPs ?? [{ ip: status.podIP ?? '' }]).flatMap(({ ip = '' }) => (ip === '' ? [] : [ip]))
