// The status of a claim: what was allocated, for whom it is reserved, what drivers say of the devices.
import type {
  ResourceV1AllocatedDeviceStatus,
  ResourceV1AllocationResult,
  ResourceV1DeviceRequestAllocationResult,
  ResourceV1ResourceClaim,
} from '../../../common/api/generated/types.ts'
import {
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
  type FieldError,
} from '../../../common/machinery/field-error.ts'
import { byteLength } from '../../../common/machinery/names.ts'
import { checkNodeSelector } from '../core/pod-spec/affinity.ts'
import { semanticEqual } from '../equality.ts'
import { checkDriverName } from '../storage/driver-name.ts'
import { checkList, checkSet } from '../validation/collections.ts'
import { checkConditions } from '../validation/conditions.ts'
import { isCidr } from '../validation/ip.ts'
import { checkName, isDnsLabel } from '../validation/names.ts'
import { checkBindingConditions } from './binding-conditions.ts'
import {
  checkConfiguration,
  checkObjectValue,
  checkRequestReference,
  checkRequestReferences,
  checkToleration,
  maxConfigs,
  requestNamesOf,
  type RequestNames,
} from './device-claim.ts'
import { checkPoolName, checkShareId } from './names.ts'

const maxConsumers = 256
const maxResults = 32
const maxConditions = 8
const maxDataBytes = 10_240
const maxInterfaceBytes = 256
const maxHardwareBytes = 128
const maxAddresses = 16

const deviceKey = ({ driver, pool, device, shareID }: ResourceV1AllocatedDeviceStatus): string =>
  `${driver}/${pool}/${device}${shareID === undefined ? '' : `/${shareID}`}`

export function checkClaimStatus(claim: ResourceV1ResourceClaim, old: ResourceV1ResourceClaim): FieldError[] {
  const errors: FieldError[] = []
  const { reservedFor = [], allocation, devices } = claim.status ?? {}
  const consumers = { items: reservedFor, max: maxConsumers, key: ({ uid }: { uid: string }) => uid }
  checkSet(errors, 'status.reservedFor', consumers, (consumer, at) => {
    for (const field of ['resource', 'name', 'uid'] as const)
      if (!consumer[field]) errors.push(required(`${at}.${field}`))
  })
  const allocated = new Set((allocation?.devices?.results ?? []).map(deviceKey))
  checkSet(errors, 'status.devices', { items: devices, key: deviceKey }, (device, at) => {
    checkDevice(errors, at, device)
    if (!allocated.has(deviceKey(device)))
      errors.push(invalidValue(at, deviceKey(device), 'must be an allocated device in the claim'))
  })
  if (reservedFor.length > 0 && allocation === undefined)
    errors.push(forbiddenField('status.reservedFor', 'may not be specified when `allocated` is not set'))
  else if (claim.metadata.deletionTimestamp !== undefined) {
    const before = old.status?.reservedFor ?? []
    if (reservedFor.some((consumer) => !before.some((known) => semanticEqual(known, consumer)))) {
      const detail = 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set'
      errors.push(forbiddenField('status.reservedFor', detail))
    }
  }
  const before = old.status?.allocation
  if (before !== undefined && allocation !== undefined) {
    if (!semanticEqual(before, allocation))
      errors.push(invalidValue('status.allocation', allocation, 'field is immutable'))
  } else if (allocation !== undefined) {
    checkAllocation(errors, 'status.allocation', allocation, requestNamesOf(claim.spec?.devices))
  }
  return errors
}

function checkAllocation(
  errors: FieldError[],
  path: string,
  { devices, nodeSelector }: ResourceV1AllocationResult,
  names: RequestNames,
): void {
  checkList(errors, `${path}.devices.results`, { items: devices?.results, max: maxResults }, (result, at) => {
    checkResult(errors, at, result, names)
  })
  checkList(errors, `${path}.devices.config`, { items: devices?.config, max: 2 * maxConfigs }, (config, at) => {
    const { source = '' } = config
    const sources = ['FromClaim', 'FromClass']
    if (source === '') errors.push(required(`${at}.source`))
    else if (!sources.includes(source)) errors.push(notSupported(`${at}.source`, source, sources))
    checkRequestReferences(errors, `${at}.requests`, config.requests, names)
    checkConfiguration(errors, at, config)
  })
  if (nodeSelector !== undefined) checkNodeSelector(errors, `${path}.nodeSelector`, nodeSelector)
}

function checkResult(
  errors: FieldError[],
  path: string,
  result: ResourceV1DeviceRequestAllocationResult,
  names: RequestNames,
): void {
  checkRequestReference(errors, `${path}.request`, result.request ?? '', names)
  checkDriverName(errors, `${path}.driver`, result.driver ?? '')
  checkPoolName(errors, `${path}.pool`, result.pool ?? '')
  checkName(errors, `${path}.device`, result.device ?? '', isDnsLabel)
  checkBindingConditions(errors, path, result)
  checkList(errors, `${path}.tolerations`, { items: result.tolerations }, (toleration, at) => {
    checkToleration(errors, at, toleration)
  })
  if (result.shareID !== undefined) checkShareId(errors, `${path}.shareID`, result.shareID)
}

function checkDevice(errors: FieldError[], path: string, device: ResourceV1AllocatedDeviceStatus): void {
  checkDriverName(errors, `${path}.driver`, device.driver ?? '')
  checkPoolName(errors, `${path}.pool`, device.pool ?? '')
  checkName(errors, `${path}.device`, device.device ?? '', isDnsLabel)
  if (device.shareID !== undefined) checkShareId(errors, `${path}.shareID`, device.shareID)
  const { conditions = [], data, networkData } = device
  if (conditions.length > maxConditions) errors.push(tooMany(`${path}.conditions`, conditions.length, maxConditions))
  checkConditions(errors, `${path}.conditions`, conditions)
  if (data !== undefined && data !== null) checkObjectValue(errors, `${path}.data`, data, maxDataBytes)
  if (networkData === undefined) return
  const { interfaceName = '', hardwareAddress = '', ips } = networkData
  const at = `${path}.networkData`
  if (byteLength(interfaceName) > maxInterfaceBytes) errors.push(tooLong(`${at}.interfaceName`, maxInterfaceBytes))
  if (byteLength(hardwareAddress) > maxHardwareBytes) errors.push(tooLong(`${at}.hardwareAddress`, maxHardwareBytes))
  checkSet(errors, `${at}.ips`, { items: ips, max: maxAddresses, key: (ip) => ip }, (ip, where) => {
    if (!isCidr(ip)) {
      const detail = 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)'
      errors.push(invalidValue(where, ip, detail))
    }
  })
}
