// One device of a slice: its attributes and capacities, taints, shared counters, and the nodes that reach it.
import type {
  ResourceV1Counter,
  ResourceV1Device,
  ResourceV1DeviceAttribute,
  ResourceV1DeviceTaint,
} from '../../../common/api/generated/types.ts'
import {
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
  type FieldError,
} from '../../../common/machinery/field-error.ts'
import { byteLength } from '../../../common/machinery/names.ts'
import { checkNodeSelector } from '../core/pod-spec/affinity.ts'
import { checkList, checkSet } from '../validation/collections.ts'
import { checkName, isDnsLabel, isDnsSubdomain, isLabelValue, isQualifiedName } from '../validation/names.ts'
import { checkBindingConditions } from './binding-conditions.ts'
import { checkCapacity } from './device-capacity.ts'
import { taintEffects } from './device-claim.ts'
import { checkQualifiedName } from './names.ts'

const maxAttributesAndCapacities = 32
const maxValueBytes = 64
const maxTaints = 16
export const maxCounterSets = 8
const maxCounters = 32
const semver =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/

export function checkDevice(
  errors: FieldError[],
  path: string,
  device: ResourceV1Device,
  perDeviceNodeSelection: boolean,
): void {
  const { attributes = {}, capacity = {} } = device
  checkName(errors, `${path}.name`, device.name ?? '', isDnsLabel)
  const count = Object.keys(attributes).length + Object.keys(capacity).length
  if (count > maxAttributesAndCapacities) {
    const detail = `the total number of attributes and capacities must not exceed ${String(maxAttributesAndCapacities)}`
    errors.push(invalidValue(path, count, detail))
  }
  for (const [name, attribute] of Object.entries(attributes)) {
    checkQualifiedName(errors, `${path}.attributes`, name)
    checkAttribute(errors, `${path}.attributes[${name}]`, attribute)
  }
  for (const [name, amount] of Object.entries(capacity)) {
    checkQualifiedName(errors, `${path}.capacity`, name)
    checkCapacity(errors, `${path}.capacity[${name}]`, amount, device.allowMultipleAllocations === true)
  }
  checkList(errors, `${path}.taints`, { items: device.taints, max: maxTaints }, (taint, at) => {
    checkTaint(errors, at, taint)
  })
  const consumed = {
    items: device.consumesCounters,
    max: maxCounterSets,
    key: ({ counterSet }: { counterSet: string }) => counterSet,
  }
  checkSet(errors, `${path}.consumesCounters`, consumed, ({ counterSet, counters }, at) => {
    if (!counterSet) errors.push(required(`${at}.counterSet`))
    else checkName(errors, `${at}.counterSet`, counterSet, isDnsLabel)
    checkCounters(errors, `${at}.counters`, counters)
  })
  checkNodes(errors, path, device, perDeviceNodeSelection)
  checkBindingConditions(errors, path, device)
}

export function checkCounters(
  errors: FieldError[],
  path: string,
  counters: Readonly<Record<string, ResourceV1Counter>> | undefined,
): void {
  const names = Object.keys(counters ?? {})
  if (names.length === 0) errors.push(required(path))
  else if (names.length > maxCounters) errors.push(tooMany(path, names.length, maxCounters))
  else for (const name of names) checkName(errors, path, name, isDnsLabel)
}

function checkAttribute(errors: FieldError[], path: string, attribute: ResourceV1DeviceAttribute): void {
  const present = Object.entries(attribute).filter(([, value]) => value !== undefined)
  for (const [field, value] of present) {
    const at = `${path}.${field}`
    if (Array.isArray(value) && value.length === 0)
      errors.push(invalidValue(at, value, 'must not be empty if specified'))
    const values: unknown[] = Array.isArray(value) ? value : [value]
    values.forEach((item, index) => {
      const where = Array.isArray(value) ? `${at}[${String(index)}]` : at
      if (typeof item !== 'string') return
      if (field.startsWith('version') && !semver.test(item))
        errors.push(invalidValue(where, item, 'must be a string compatible with semver.org spec 2.0.0'))
      if (byteLength(item) > maxValueBytes) errors.push(tooLong(where, maxValueBytes))
    })
  }
  if (present.length !== 1)
    errors.push(invalidValue(path, present.length === 0 ? '' : attribute, 'exactly one value must be specified'))
}

function checkTaint(errors: FieldError[], path: string, { key = '', value = '', effect }: ResourceV1DeviceTaint): void {
  checkName(errors, `${path}.key`, key, isQualifiedName)
  if (value !== '') checkName(errors, `${path}.value`, value, isLabelValue)
  if (!effect) errors.push(required(`${path}.effect`))
  else if (!taintEffects.includes(effect)) errors.push(notSupported(`${path}.effect`, effect, taintEffects))
}

function checkNodes(errors: FieldError[], path: string, device: ResourceV1Device, selects: boolean): void {
  const { nodeName, nodeSelector, allNodes } = device
  if (!selects) {
    if ((nodeName ?? nodeSelector ?? allNodes) !== undefined) {
      const detail =
        '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec'
      errors.push(invalidValue(path, null, detail))
    }
    return
  }
  const set: string[] = []
  if (nodeName === '') errors.push(invalidValue(`${path}.nodeName`, nodeName, 'must not be empty'))
  else if (nodeName !== undefined) {
    set.push('`nodeName`')
    checkName(errors, `${path}.nodeName`, nodeName, isDnsSubdomain)
  }
  if (nodeSelector !== undefined) {
    set.push('`nodeSelector`')
    checkNodeSelector(errors, `${path}.nodeSelector`, nodeSelector)
  }
  if (allNodes === true) set.push('`allNodes`')
  else if (allNodes === false)
    errors.push(invalidValue(`${path}.allNodes`, allNodes, 'must be either unset or set to true'))
  const one =
    'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec'
  if (set.length === 0) errors.push(required(path, one))
  if (set.length > 1) errors.push(invalidValue(path, `{${set.join(', ')}}`, one))
}
