// EndpointSlice: up to a thousand addresses of a Service, with what is known of each.
import type { Endpoint, EndpointSlice } from '../../../common/api/generated/types.ts'
import { duplicate, invalidValue, required, tooMany, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, firstThree, nameColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { familyOf } from '../../../common/machinery/addresses.ts'
import { checkAddress, isAddress } from '../validation/ip.ts'
import { checkName, isDnsLabel, isDnsSubdomain, isLabelValue, isQualifiedName } from '../validation/names.ts'
import { checkNotSpecialAddress } from '../validation/special-address.ts'
import { checkImmutable, checkOneOf, checkPort } from '../validation/values.ts'

const addressTypes = ['FQDN', 'IPv4', 'IPv6']
const maxEndpoints = 1000
const maxPorts = 100
const maxAddresses = 100
const maxHints = 8

export const endpointSlice = defineKind('discovery.k8s.io/v1/endpointslices', {
  tracksGeneration: true,
  setDefaults: (object) => {
    object.endpoints ??= []
    for (const port of object.ports ?? []) {
      port.name ??= ''
      port.protocol ??= 'TCP'
    }
  },
  validate,
  update: {
    validate: (object, old) => {
      const errors: FieldError[] = []
      checkImmutable(errors, 'addressType', object.addressType, old.addressType)
      return errors
    },
  },
  columns: [
    nameColumn,
    { name: 'AddressType', type: 'string', cell: ({ addressType }) => addressType ?? '' },
    {
      name: 'Ports',
      type: 'string',
      cell: ({ ports = [] }) =>
        firstThree(ports.map(({ port, name = '*' }) => (port === undefined ? name : String(port)))) || '<unset>',
    },
    { name: 'Endpoints', type: 'string', cell: addressList },
    ageColumn,
  ],
})

function addressList({ endpoints = [] }: EndpointSlice): string {
  return firstThree(endpoints.flatMap(({ addresses }) => addresses ?? [])) || '<unset>'
}

function validate({ addressType, endpoints = [], ports = [] }: EndpointSlice): FieldError[] {
  const errors: FieldError[] = []
  checkOneOf(errors, 'addressType', addressType, addressTypes)
  if (endpoints.length > maxEndpoints) errors.push(tooMany('endpoints', endpoints.length, maxEndpoints))
  else {
    endpoints.forEach((endpoint, index) => {
      checkEndpoint(errors, `endpoints[${String(index)}]`, endpoint, addressType)
    })
  }
  if (ports.length > maxPorts) errors.push(tooMany('ports', ports.length, maxPorts))
  const names = new Set<string>()
  ports.forEach(({ name = '', port, protocol, appProtocol }, index) => {
    const path = `ports[${String(index)}]`
    if (name !== '') checkName(errors, `${path}.name`, name, isDnsLabel)
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name))
    names.add(name)
    if (port !== undefined) checkPort(errors, `${path}.port`, port)
    checkOneOf(errors, `${path}.protocol`, protocol, ['SCTP', 'TCP', 'UDP'])
    if (appProtocol !== undefined) checkName(errors, `${path}.appProtocol`, appProtocol, isQualifiedName)
  })
  return errors
}

function checkEndpoint(errors: FieldError[], path: string, endpoint: Endpoint, addressType: string): void {
  const { addresses = [], nodeName, hostname, deprecatedTopology = {}, hints } = endpoint
  if (addresses.length === 0) errors.push(required(`${path}.addresses`, 'must contain at least 1 address'))
  else if (addresses.length > maxAddresses) errors.push(tooMany(`${path}.addresses`, addresses.length, maxAddresses))
  addresses.forEach((address, index) => {
    checkOfType(errors, `${path}.addresses[${String(index)}]`, address, addressType)
  })
  if (nodeName !== undefined) checkName(errors, `${path}.nodeName`, nodeName, isDnsSubdomain)
  if (Object.keys(deprecatedTopology).length > 16)
    errors.push(tooMany(`${path}.deprecatedTopology`, Object.keys(deprecatedTopology).length, 16))
  if (deprecatedTopology['kubernetes.io/hostname'] !== undefined) {
    errors.push(
      invalidValue(
        `${path}.deprecatedTopology.kubernetes.io/hostname`,
        'kubernetes.io/hostname',
        'nodeName must be used for hostname topology',
      ),
    )
  }
  if (hostname !== undefined) checkName(errors, `${path}.hostname`, hostname, isDnsLabel)
  for (const [field, list] of [
    ['forZones', hints?.forZones],
    ['forNodes', hints?.forNodes],
  ] as const) {
    if (list === undefined) continue
    const at = `${path}.hints.${field}`
    if (list.length > maxHints) errors.push(tooMany(at, list.length, maxHints))
    const seen = new Set<string>()
    list.forEach(({ name }, index) => {
      const item = `${at}[${String(index)}].name`
      if (seen.has(name)) errors.push(duplicate(item, name))
      seen.add(name)
      if (!name) errors.push(required(item))
      else checkName(errors, item, name, field === 'forZones' ? isLabelValue : isDnsSubdomain)
    })
  }
}

function checkOfType(errors: FieldError[], path: string, address: string, addressType: string): void {
  if (addressType === 'FQDN') {
    checkName(errors, path, address, isDnsSubdomain)
    return
  }
  if (addressType !== 'IPv4' && addressType !== 'IPv6') return
  checkAddress(errors, path, address)
  if (!isAddress(address)) return
  if (familyOf(address) !== addressType) errors.push(invalidValue(path, address, `must be an ${addressType} address`))
  else checkNotSpecialAddress(errors, path, address)
}
