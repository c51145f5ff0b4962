// Endpoints: the older, one-object form of a Service's addresses. EndpointSlices are what nodes read.
import type { EndpointAddress, EndpointPort, Endpoints } from '../../../common/api/generated/types.ts'
import { required, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { checkAddress, isAddress } from '../validation/ip.ts'
import { checkName, isDnsLabel, isDnsSubdomain, isQualifiedName } from '../validation/names.ts'
import { checkNotSpecialAddress } from '../validation/special-address.ts'
import { checkOneOf, checkPort } from '../validation/values.ts'

export const endpoints = defineKind('v1/endpoints', {
  shortNames: ['ep'],
  allowCreateOnUpdate: true,
  setDefaults: ({ subsets = [] }) => {
    for (const { ports = [] } of subsets) for (const port of ports) port.protocol ||= 'TCP'
  },
  validate: ({ subsets = [] }) => {
    const errors: FieldError[] = []
    subsets.forEach(({ addresses = [], notReadyAddresses = [], ports = [] }, index) => {
      const path = `subsets[${String(index)}]`
      if (addresses.length === 0 && notReadyAddresses.length === 0) {
        errors.push(required(path, 'must specify `addresses` or `notReadyAddresses`'))
      }
      addresses.forEach((address, position) => {
        checkEndpointAddress(errors, `${path}.addresses[${String(position)}]`, address)
      })
      notReadyAddresses.forEach((address, position) => {
        checkEndpointAddress(errors, `${path}.notReadyAddresses[${String(position)}]`, address)
      })
      ports.forEach((port, position) => {
        checkEndpointPort(errors, `${path}.ports[${String(position)}]`, port, ports.length > 1)
      })
    })
    return errors
  },
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  columns: [nameColumn, { name: 'Endpoints', type: 'string', cell: addressList }, ageColumn],
})

function checkEndpointAddress(
  errors: FieldError[],
  path: string,
  { ip, hostname = '', nodeName }: EndpointAddress,
): void {
  checkAddress(errors, `${path}.ip`, ip)
  if (hostname !== '') checkName(errors, `${path}.hostname`, hostname, isDnsLabel)
  if (nodeName !== undefined) checkName(errors, `${path}.nodeName`, nodeName, isDnsSubdomain)
  if (isAddress(ip)) checkNotSpecialAddress(errors, `${path}.ip`, ip)
}

function checkEndpointPort(errors: FieldError[], path: string, port: EndpointPort, needsName: boolean): void {
  const { name = '', protocol, appProtocol } = port
  if (name !== '') checkName(errors, `${path}.name`, name, isDnsLabel)
  else if (needsName) errors.push(required(`${path}.name`))
  checkPort(errors, `${path}.port`, port.port ?? 0)
  checkOneOf(errors, `${path}.protocol`, protocol, ['SCTP', 'TCP', 'UDP'])
  if (appProtocol !== undefined) checkName(errors, `${path}.appProtocol`, appProtocol, isQualifiedName)
}

function addressList({ subsets = [] }: Endpoints): string {
  if (subsets.length === 0) return '<none>'
  const shown: string[] = []
  let total = 0
  for (const { addresses = [], ports = [] } of subsets) {
    for (const port of ports.length === 0 ? [undefined] : ports) {
      total += addresses.length
      for (const { ip } of addresses) {
        const host = ip.includes(':') && port !== undefined ? `[${ip}]` : ip
        if (shown.length < 3) shown.push(port === undefined ? host : `${host}:${String(port.port)}`)
      }
    }
  }
  const text = shown.join(',')
  return total > 3 ? `${text} + ${String(total - 3)} more...` : text
}
