// Cluster IPs. An address is free when no IPAddress has its name; the Service and its IPAddresses are written in one transaction.
import type {
  NetworkingV1IPAddress as IpAddress,
  NetworkingV1ServiceCIDR as ServiceCidr,
  Service,
} from '../../../../common/api/generated/types.ts'
import { invalidValue, type FieldError } from '../../../../common/machinery/field-error.ts'
import { internalError } from '../../../../common/machinery/status.ts'
import type { Companions, WriteContext } from '../../kind.ts'
import {
  addressToNumber,
  familyOf,
  numberToAddress,
  rangeOf,
  type AddressRange,
} from '../../../../common/machinery/addresses.ts'
import { canonicalAddress } from '../../validation/ip.ts'
import { clusterIpsOf, ipAddressOf } from '../../../../common/networking/ip-address.ts'
import { isHeadless } from './defaults.ts'
import { keepsPreferred } from './families.ts'
import { bandOf, startOf } from './bands.ts'

const addressGroup = 'networking.k8s.io'

/** Gives the Service an address of each of its families, and takes those it asks for. StatusError when a range is full. */
export function allocateAddresses(service: Service, old: Service | undefined, context: WriteContext): FieldError[] {
  const { spec } = service
  if (spec === undefined || spec.type === 'ExternalName' || isHeadless(spec)) return []
  const before = old?.spec
  if (before !== undefined && before.type !== 'ExternalName') {
    if (isHeadless(before) || keepsPreferred(spec, before)) return []
    // Only a second family brings a second address; what else changes is for validation to refuse.
    if ((before.ipFamilies ?? []).length !== 1 || spec.ipFamilies?.length !== 2) return []
  }
  const addresses = [...(spec.clusterIPs ?? [])]
  const kept = before === undefined || before.type === 'ExternalName' ? 0 : 1
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    if (index < kept) continue
    const wanted = addresses[index] ?? ''
    if (wanted === '') addresses[index] = freeAddress(family, service, context)
    else {
      const why = refusal(wanted, service, context)
      if (why !== undefined)
        return [invalidValue('spec.clusterIPs', spec.clusterIPs ?? [], `failed to allocate IP ${wanted}: ${why}`)]
    }
  }
  if (addresses.length === 0) return []
  spec.clusterIPs = addresses
  spec.clusterIP = addresses[0] ?? ''
  return []
}

/** The ranges that addresses may come from now. */
function rangesFor(context: WriteContext): AddressRange[] {
  const configured = context.lookupAll(addressGroup, 'servicecidrs') as readonly ServiceCidr[]
  const cidrs = configured.length === 0 ? context.cluster.serviceCIDRs : configured.filter(isUsable).flatMap(cidrsOf)
  return cidrs.map(rangeOf)
}

const cidrsOf = ({ spec }: ServiceCidr): readonly string[] => spec?.cidrs ?? []

/** Where nobody says whether a range is ready (no controllers), it is. */
const isUsable = ({ metadata, status }: ServiceCidr): boolean =>
  metadata.deletionTimestamp === undefined &&
  (status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'True') === 'True'

/** First and last address that Services may have: neither the network's own nor IPv4's broadcast address. */
const hostsOf = ({ family, first, size }: AddressRange): { from: bigint; to: bigint } => ({
  from: first + 1n,
  to: first + size - (family === 'IPv4' ? 2n : 1n),
})

function freeAddress(family: string, service: Service, context: WriteContext): string {
  for (const range of rangesFor(context)) {
    if (range.family !== family) continue
    const { from, to } = hostsOf(range)
    const band = BigInt(bandOf(Number(range.size), { smallest: 16, largest: 256, step: 16, atMost: 16 }))
    const free = (first: bigint, last: bigint): string | undefined => probe(range, first, last, service, context)
    const address = free(from + band, to) ?? free(from, from + band - 1n)
    if (address !== undefined) return address
  }
  throw internalError('failed to allocate a serviceIP: range is full')
}

/** The first free one, from a place that the Service's uid chooses. */
function probe(
  { family }: AddressRange,
  from: bigint,
  to: bigint,
  { metadata }: Service,
  context: WriteContext,
): string | undefined {
  const count = to - from + 1n
  if (count <= 0n) return undefined
  const start = startOf(metadata.uid)
  for (let step = 0n; step < count; step += 1n) {
    const address = numberToAddress(from + ((start + step) % count), family)
    if (ownerOf(address, context) === undefined) return address
  }
  return undefined
}

const ownerOf = (address: string, context: WriteContext): IpAddress | undefined =>
  context.lookup(addressGroup, 'ipaddresses', undefined, address) as IpAddress | undefined

/** Why a Service may not have the address it asks for. */
function refusal(address: string, { metadata }: Service, context: WriteContext): string | undefined {
  const number = addressToNumber(address)
  const inside = rangesFor(context).some((range) => {
    const { from, to } = hostsOf(range)
    return range.family === familyOf(address) && number >= from && number <= to
  })
  if (!inside) return 'the provided network does not match the current range'
  const owner = ownerOf(canonicalAddress(address) ?? address, context)
  if (owner === undefined) return undefined
  const parent = owner.spec?.parentRef
  const own =
    parent?.resource === 'services' && parent.name === metadata.name && parent.namespace === metadata.namespace
  return own ? undefined : 'provided IP is already allocated'
}

/** The names of the IPAddresses that a Service must have. */
const addressesOf = (service: Service | undefined): string[] =>
  service === undefined ? [] : clusterIpsOf(service).flatMap((address) => canonicalAddress(address) ?? [])

/** Addresses are created and deleted with the Service that has them. */
export function serviceAddresses(service: Service | undefined, old: Service | undefined): Companions {
  const wanted = addressesOf(service)
  const before = addressesOf(old)
  return {
    create:
      service === undefined
        ? []
        : wanted
            .filter((address) => !before.includes(address))
            .map((address) => ({ group: addressGroup, plural: 'ipaddresses', object: ipAddressOf(service, address) })),
    remove: before
      .filter((address) => !wanted.includes(address))
      .map((name) => ({ group: addressGroup, plural: 'ipaddresses', name })),
  }
}
