// What a Service gets of the cluster: families, addresses, node ports, in this order; the first that cannot be had refuses the write.
import type { Service } from '../../../../common/api/generated/types.ts'
import type { FieldError } from '../../../../common/machinery/field-error.ts'
import type { WriteContext } from '../../kind.ts'
import { allocateAddresses } from './cluster-ips.ts'
import { setFamilies } from './families.ts'
import { allocatePorts } from './node-ports.ts'

export function allocate(service: Service, old: Service | undefined, context: WriteContext): FieldError[] {
  alignAddresses(service, old)
  for (const step of [setFamilies, allocateAddresses, allocatePorts]) {
    const errors = step(service, old, context)
    if (errors.length > 0) return errors
  }
  return []
}

/** `clusterIP` and `clusterIPs[0]` mean the same: clients that know only the first change only that. */
function alignAddresses({ spec = {} }: Service, old: Service | undefined): void {
  const { clusterIP = '', clusterIPs = [] } = spec
  const before = old?.spec
  if (before === undefined) {
    if (clusterIP !== '' && clusterIPs.length === 0) spec.clusterIPs = [clusterIP]
    return
  }
  const { clusterIP: hadOne = '', clusterIPs: had = [] } = before
  if (clusterIP === hadOne) {
    if (had.length > 0 && clusterIPs.length === 0 && clusterIP !== '') spec.clusterIPs = [...had]
  } else if (had.length === clusterIPs.length && had.every((address, index) => address === clusterIPs[index])) {
    if (clusterIP === '') delete spec.clusterIPs
    else spec.clusterIPs = [clusterIP]
  }
}
