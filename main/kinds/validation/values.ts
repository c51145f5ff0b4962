// Checks of single values with Kubernetes' words; each adds to `errors`.
import { FieldError, invalidValue, notSupported, required } from '../../../common/machinery/field-error.ts'
import { validatePercent } from '../../../common/machinery/names.ts'
import { semanticEqual } from '../equality.ts'
import { checkName, isPortName } from './names.ts'

export function checkNonNegative(errors: FieldError[], path: string, value: number | undefined): void {
  if (value !== undefined && value < 0) errors.push(invalidValue(path, value, 'must be greater than or equal to 0'))
}

export function checkImmutable(errors: FieldError[], path: string, value: unknown, old: unknown): void {
  if (!semanticEqual(value, old)) errors.push(invalidValue(path, value, 'field is immutable'))
}

export function checkPort(errors: FieldError[], path: string, value: number): void {
  if (value < 1 || value > 65_535) errors.push(invalidValue(path, value, 'must be between 1 and 65535, inclusive'))
}

/** A port by number or by the name of a container port. */
export function checkPortNumberOrName(errors: FieldError[], path: string, value: number | string): void {
  if (typeof value === 'number') checkPort(errors, path, value)
  else checkName(errors, path, value, isPortName)
}

/** Missing values of closed sets are "Required value", others "Unsupported value". */
export function checkOneOf(
  errors: FieldError[],
  path: string,
  value: string | undefined,
  supported: readonly string[],
  detail = '',
): void {
  if (value === undefined || value === '') errors.push(required(path, detail))
  else if (!supported.includes(value)) errors.push(notSupported(path, value, supported))
}

/** Like checkOneOf, but absent is fine. */
export function checkOptionalOneOf(
  errors: FieldError[],
  path: string,
  value: string | undefined,
  supported: readonly string[],
): void {
  if (value !== undefined && !supported.includes(value)) errors.push(notSupported(path, value, supported))
}

export const isPercent = (value: unknown): value is string => typeof value === 'string' && /^[0-9]+%$/.test(value)

/** A non-negative count or a percentage ("25%"). */
export function checkCountOrPercent(errors: FieldError[], path: string, value: number | string): void {
  if (typeof value === 'number') checkNonNegative(errors, path, value)
  else if (!isPercent(value)) {
    for (const problem of validatePercent(value)) errors.push(invalidValue(path, value, problem))
  }
}

/** Counts are not limited; percentages must be at most 100. */
export function checkAtMostHundredPercent(errors: FieldError[], path: string, value: number | string): void {
  if (isPercent(value) && Number.parseInt(value, 10) > 100)
    errors.push(invalidValue(path, value, 'must not be greater than 100%'))
}

/** The number a count or percentage means, by its leading digits. */
export const countOrPercent = (value: number | string): number =>
  typeof value === 'number' ? value : isPercent(value) ? Number.parseInt(value, 10) : 0

/** "Unsupported value" with the supported ones in this order, where Kubernetes does not sort them. */
export const unsupported = (path: string, value: unknown, supported: readonly string[]): FieldError =>
  new FieldError(
    'FieldValueNotSupported',
    path,
    value,
    `supported values: ${supported.map((item) => JSON.stringify(item)).join(', ')}`,
  )

/** An "Invalid value" whose value would say nothing and is left out. */
class ValuelessError extends FieldError {
  override body(): string {
    return `Invalid value: ${this.detail}`
  }
}

export const invalidWithoutValue = (path: string, detail: string): FieldError =>
  new ValuelessError('FieldValueInvalid', path, '', detail)
