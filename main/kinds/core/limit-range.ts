// LimitRange: bounds and defaults for what pods, containers and claims of a namespace may ask for.
import type { LimitRangeItem, Quantity } from '../../../common/api/generated/types.ts'
import {
  duplicate,
  forbiddenField,
  invalidValue,
  required,
  type FieldError,
} from '../../../common/machinery/field-error.ts'
import { canonicalQuantity, compareQuantities, isQuantity } from '../../../common/machinery/quantity.ts'
import { defaultColumns } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { checkName, isQualifiedName } from '../validation/names.ts'
import { checkContainerResourceName, checkResourceName } from '../validation/resource-names.ts'

type Quantities = Record<string, Quantity>

export const limitRange = defineKind('v1/limitranges', {
  allowCreateOnUpdate: true,
  shortNames: ['limits'],
  tracksGeneration: false,
  setDefaults: ({ spec }) => {
    for (const item of spec?.limits ?? []) if (item.type === 'Container') setContainerDefaults(item)
  },
  validate: ({ spec }) => {
    const errors: FieldError[] = []
    const types = new Set<string>()
    spec?.limits?.forEach((item, index) => {
      const path = `spec.limits[${String(index)}]`
      if (types.has(item.type)) errors.push(duplicate(`${path}.type`, item.type))
      types.add(item.type)
      checkItem(errors, path, item)
    })
    return errors
  },
  columns: defaultColumns,
})

/** The limit defaults to the maximum; the request to the limit, else to the minimum. */
function setContainerDefaults(item: LimitRangeItem): void {
  item.default = { ...item.max, ...item.default }
  item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest }
}

function checkItem(errors: FieldError[], path: string, item: LimitRangeItem): void {
  const { type, min = {}, max = {}, default: limit = {}, defaultRequest = {}, maxLimitRequestRatio = {} } = item
  checkType(errors, `${path}.type`, type)
  const names = new Set<string>()
  const checkNames = (field: string, quantities: Quantities): void => {
    for (const name of Object.keys(quantities)) {
      names.add(name)
      const at = `${path}.${field}[${name}]`
      if (type === 'Pod' || type === 'Container') checkContainerResourceName(errors, at, name)
      else checkResourceName(errors, at, name)
    }
  }
  checkNames('max', max)
  checkNames('min', min)
  if (type === 'Pod') {
    for (const [field, quantities] of Object.entries({ default: limit, defaultRequest })) {
      if (Object.keys(quantities).length > 0)
        errors.push(forbiddenField(`${path}.${field}`, "may not be specified when `type` is 'Pod'"))
    }
  } else {
    checkNames('default', limit)
    checkNames('defaultRequest', defaultRequest)
  }
  if (type === 'PersistentVolumeClaim' && min.storage === undefined && max.storage === undefined) {
    errors.push(
      required(`${path}.limits`, 'either minimum or maximum storage value is required, but neither was provided'),
    )
  }
  checkNames('maxLimitRequestRatio', maxLimitRequestRatio)
  for (const name of names) checkOrder(errors, path, name, item)
}

function checkType(errors: FieldError[], path: string, type: string): void {
  const before = errors.length
  checkName(errors, path, type, isQualifiedName)
  if (errors.length > before || type.includes('/')) return
  if (!['Pod', 'Container', 'PersistentVolumeClaim'].includes(type)) {
    errors.push(invalidValue(path, type, 'must be a standard limit type or fully qualified'))
  }
}

/** min <= default request <= default limit <= max. */
function checkOrder(errors: FieldError[], path: string, name: string, item: LimitRangeItem): void {
  const steps = [
    { field: 'min', text: 'min value', value: item.min?.[name] },
    { field: 'defaultRequest', text: 'default request value', value: item.defaultRequest?.[name] },
    { field: 'default', text: 'default limit value', value: item.default?.[name] },
    { field: 'max', text: 'max value', value: item.max?.[name] },
  ]
  steps.forEach((low, index) => {
    for (const high of steps.slice(index + 1)) {
      if (low.value === undefined || high.value === undefined || !isQuantity(low.value) || !isQuantity(high.value))
        continue
      if (compareQuantities(low.value, high.value) <= 0) continue
      const field = low.field === 'min' && high.field !== 'max' ? high.field : low.field
      const value = item[field as 'min' | 'default' | 'defaultRequest']?.[name]
      const detail = `${low.text} ${canonicalQuantity(low.value)} is greater than ${high.text} ${canonicalQuantity(high.value)}`
      errors.push(invalidValue(`${path}.${field}[${name}]`, value, detail))
    }
  })
  const ratio = item.maxLimitRequestRatio?.[name]
  if (ratio !== undefined && isQuantity(ratio) && compareQuantities(ratio, 1) < 0) {
    errors.push(
      invalidValue(`${path}.maxLimitRequestRatio[${name}]`, ratio, `ratio ${canonicalQuantity(ratio)} is less than 1`),
    )
  }
}
