// Capacities of devices, and how much of one a claim may take of a device that several share.
import type {
  ResourceV1CapacityRequestPolicy,
  ResourceV1CapacityRequestPolicyRange,
  ResourceV1DeviceCapacity,
} from '../../../common/api/generated/types.ts'
import {
  duplicate,
  forbiddenField,
  invalidValue,
  required,
  type FieldError,
} from '../../../common/machinery/field-error.ts'
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  zeroQuantity,
} from '../../../common/machinery/quantity.ts'
import { checkQuantity } from '../validation/quantity.ts'

type Amount = string | number

export function checkCapacity(
  errors: FieldError[],
  path: string,
  { value, requestPolicy: policy }: ResourceV1DeviceCapacity,
  shared: boolean,
): void {
  const at = `${path}.requestPolicy`
  if (policy === undefined) return
  if (!shared) {
    errors.push(forbiddenField(at, 'allowMultipleAllocations must be true'))
    return
  }
  const amounts = [value, policy.default, policy.validRange?.min, policy.validRange?.max, policy.validRange?.step]
  const before = errors.length
  for (const amount of [...amounts, ...(policy.validValues ?? [])])
    if (amount !== undefined) checkQuantity(errors, at, amount)
  if (errors.length === before) checkPolicy(errors, at, policy, value)
}

function checkPolicy(
  errors: FieldError[],
  path: string,
  policy: ResourceV1CapacityRequestPolicy,
  capacity: Amount,
): void {
  const { validValues = [], validRange, default: usual } = policy
  if (validValues.length > 0 && validRange !== undefined) {
    const detail = 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time'
    errors.push(forbiddenField(path, detail))
  } else if (validValues.length > 0) {
    if (usual === undefined) errors.push(required(`${path}.default`, 'required when validValues is defined'))
    else checkValues(errors, `${path}.validValues`, { values: validValues, usual, capacity })
  } else if (validRange !== undefined) {
    if (usual === undefined) errors.push(required(`${path}.default`, 'required when validRange is defined'))
    else checkRange(errors, `${path}.validRange`, { range: validRange, usual, capacity })
  }
}

function checkValues(
  errors: FieldError[],
  path: string,
  {
    values,
    usual,
    capacity,
  }: { readonly values: readonly Amount[]; readonly usual: Amount; readonly capacity: Amount },
): void {
  const seen = new Set<string>()
  values.forEach((value, index) => {
    const at = `${path}[${String(index)}]`
    const text = canonicalQuantity(value)
    const previous = values[index - 1]
    if (previous !== undefined && compareQuantities(previous, value) > 0)
      errors.push(invalidValue(at, text, 'values must be sorted in ascending order'))
    if (compareQuantities(value, capacity) > 0)
      errors.push(invalidValue(at, text, `option is larger than capacity value: ${canonicalQuantity(capacity)}`))
    if (seen.has(text)) errors.push(duplicate(at, text))
    seen.add(text)
  })
  if (!values.some((value) => compareQuantities(value, usual) === 0)) {
    const detail = 'default value is not valid according to the requestPolicy'
    errors.push(invalidValue(path, canonicalQuantity(usual), detail))
  }
}

function checkRange(
  errors: FieldError[],
  path: string,
  {
    range,
    usual,
    capacity,
  }: { readonly range: ResourceV1CapacityRequestPolicyRange; readonly usual: Amount; readonly capacity: Amount },
): void {
  const { min, max, step } = range as Partial<ResourceV1CapacityRequestPolicyRange>
  const text = canonicalQuantity
  if (min === undefined) {
    errors.push(required(`${path}.min`, 'required when validRange is defined'))
    return
  }
  const refuse = (field: string, value: Amount, detail: string): void => {
    errors.push(invalidValue(`${path}.${field}`, text(value), detail))
  }
  if (compareQuantities(min, capacity) > 0) refuse('min', min, `min is larger than capacity value: ${text(capacity)}`)
  if (compareQuantities(usual, min) < 0) refuse('default', usual, `default is less than min: ${text(min)}`)
  if (max !== undefined) {
    if (compareQuantities(min, max) > 0) refuse('max', min, `min is larger than max: ${text(max)}`)
    if (compareQuantities(max, capacity) > 0) refuse('max', max, `max is larger than capacity value: ${text(capacity)}`)
    if (compareQuantities(usual, max) > 0) refuse('default', usual, `default is more than max: ${text(max)}`)
  }
  if (step === undefined) return
  if (compareQuantities(step, zeroQuantity) <= 0) {
    refuse('step', step, 'must be greater than zero')
    return
  }
  const first = formatQuantity(addQuantities(min, step))
  if (compareQuantities(first, capacity) > 0)
    refuse('step', step, `one step ${first} is larger than capacity value: ${text(capacity)}`)
  for (const value of [usual, ...(max === undefined ? [] : [max])]) {
    if ((parseQuantity(value).nanos - parseQuantity(min).nanos) % parseQuantity(step).nanos !== 0n)
      refuse('step', value, `value is not a multiple of a given step (${text(step)}) from (${text(min)})`)
  }
}
