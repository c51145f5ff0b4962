// ResourceSlice: devices that a driver offers, on one node or reachable from many.
import type { ResourceV1ResourceSlice, ResourceV1ResourceSliceSpec } from '../../../common/api/generated/types.ts'
import { invalidValue, required, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { checkNodeSelector } from '../core/pod-spec/affinity.ts'
import { defineKind } from '../kind.ts'
import { checkDriverName } from '../storage/driver-name.ts'
import { checkSet } from '../validation/collections.ts'
import { checkName, isDnsLabel, isDnsSubdomain } from '../validation/names.ts'
import { checkImmutable } from '../validation/values.ts'
import { checkCounters, checkDevice, maxCounterSets } from './device.ts'
import { checkPoolName } from './names.ts'

const maxDevices = 128
/** With taints, shared counters or lists among the attributes. */
const maxRichDevices = 64

export const resourceSlice = defineKind('resource.k8s.io/v1/resourceslices', {
  returnsDeletedObject: true,
  setDefaults: ({ spec }, { now }) => {
    for (const device of spec?.devices ?? []) for (const taint of device.taints ?? []) taint.timeAdded ??= now
  },
  validate: check,
  update: {
    validate: ({ spec }, { spec: old }) => {
      const errors: FieldError[] = []
      checkImmutable(errors, 'spec.pool.name', spec?.pool?.name, old?.pool?.name)
      checkImmutable(errors, 'spec.driver', spec?.driver, old?.driver)
      checkImmutable(errors, 'spec.nodeName', spec?.nodeName, old?.nodeName)
      return errors
    },
  },
  selectableFields: ({ spec }) => ({ 'spec.nodeName': spec?.nodeName ?? '', 'spec.driver': spec?.driver ?? '' }),
  columns: [
    nameColumn,
    { name: 'Node', type: 'string', cell: ({ spec }) => spec?.nodeName ?? null },
    { name: 'Driver', type: 'string', cell: ({ spec }) => spec?.driver ?? '' },
    { name: 'Pool', type: 'string', cell: ({ spec }) => spec?.pool?.name ?? '' },
    ageColumn,
  ],
})

function check({ spec }: ResourceV1ResourceSlice): FieldError[] {
  if (spec === undefined) return [required('spec')]
  const errors: FieldError[] = []
  checkDriverName(errors, 'spec.driver', spec.driver ?? '')
  const { name = '', resourceSliceCount = 0, generation = 0 } = spec.pool ?? {}
  checkPoolName(errors, 'spec.pool.name', name)
  if (resourceSliceCount <= 0)
    errors.push(invalidValue('spec.pool.resourceSliceCount', resourceSliceCount, 'must be greater than zero'))
  if (generation < 0)
    errors.push(invalidValue('spec.pool.generation', generation, 'must be greater than or equal to zero'))
  checkReach(errors, 'spec', spec)
  if (spec.sharedCounters !== undefined && spec.devices !== undefined)
    errors.push(invalidValue('spec', '', 'only one of `sharedCounters` or `devices` is allowed'))
  const max = isRich(spec) ? maxRichDevices : maxDevices
  checkSet(errors, 'spec.devices', { items: spec.devices, max, key: (device) => device.name }, (device, at) => {
    checkDevice(errors, at, device, spec.perDeviceNodeSelection === true)
  })
  const sets = { items: spec.sharedCounters, max: maxCounterSets, key: ({ name }: { name: string }) => name }
  checkSet(errors, 'spec.sharedCounters', sets, (set, at) => {
    if (!set.name) errors.push(required(`${at}.name`))
    else checkName(errors, `${at}.name`, set.name, isDnsLabel)
    checkCounters(errors, `${at}.counters`, set.counters)
  })
  return errors
}

/** Exactly one way to say which nodes reach the devices. */
function checkReach(errors: FieldError[], path: string, spec: ResourceV1ResourceSliceSpec): void {
  const set: string[] = []
  const { nodeName, nodeSelector } = spec
  if (nodeName === '') {
    const detail = 'must be either unset or set to a non-empty string'
    errors.push(invalidValue(`${path}.nodeName`, nodeName, detail))
  } else if (nodeName !== undefined) {
    set.push('`nodeName`')
    checkName(errors, `${path}.nodeName`, nodeName, isDnsSubdomain)
  }
  if (nodeSelector !== undefined) {
    set.push('`nodeSelector`')
    checkNodeSelector(errors, `${path}.nodeSelector`, nodeSelector)
    if (nodeSelector.nodeSelectorTerms?.length !== 1) {
      const at = `${path}.nodeSelector.nodeSelectorTerms`
      errors.push(invalidValue(at, nodeSelector.nodeSelectorTerms, 'must have exactly one node selector term'))
    }
  }
  for (const field of ['allNodes', 'perDeviceNodeSelection'] as const) {
    if (spec[field] === true) set.push(`\`${field}\``)
    else if (spec[field] === false)
      errors.push(invalidValue(`${path}.${field}`, false, 'must be either unset or set to true'))
  }
  const one = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'
  if (set.length === 0) errors.push(required(path, one))
  if (set.length > 1) errors.push(invalidValue(path, `{${set.join(', ')}}`, `${one}, but multiple fields are set`))
}

const isRich = ({ devices = [] }: ResourceV1ResourceSliceSpec): boolean =>
  devices.some(
    ({ taints = [], consumesCounters = [], attributes = {} }) =>
      taints.length > 0 ||
      consumesCounters.length > 0 ||
      Object.values(attributes).some(({ bools, ints, strings, versions }) => bools ?? ints ?? strings ?? versions),
  )
