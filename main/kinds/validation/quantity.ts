// Validation of resource quantities.
import { invalidValue, type FieldError } from '../../../common/machinery/field-error.ts'
import { compareQuantities, parseQuantity, QuantityError, zeroQuantity } from '../../../common/machinery/quantity.ts'
import { isExtendedResource } from './resource-names.ts'

/** Well-formed and not negative; true when so. */
export function checkQuantity(errors: FieldError[], path: string, value: string | number): boolean {
  try {
    if (compareQuantities(parseQuantity(value), zeroQuantity) >= 0) return true
    errors.push(invalidValue(path, String(value), 'must be greater than or equal to 0'))
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error
    errors.push(invalidValue(path, value, error.message))
  }
  return false
}

/** Resources counted in whole things. */
const integerResources = new Set([
  'pods',
  'replicationcontrollers',
  'services',
  'services.nodeports',
  'services.loadbalancers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'resourcequotas',
])

/** As checkQuantity, and whole numbers for resources that are counted. */
export function checkResourceQuantity(
  errors: FieldError[],
  path: string,
  resource: string,
  value: string | number,
): boolean {
  if (!checkQuantity(errors, path, value)) return false
  if (
    (integerResources.has(resource) || isExtendedResource(resource)) &&
    parseQuantity(value).nanos % 1_000_000_000n !== 0n
  ) {
    errors.push(invalidValue(path, value, 'must be an integer'))
    return false
  }
  return true
}
