// Field errors as Kubernetes prints them. Validation collects all of them; nothing throws on the first.

export type FieldErrorReason =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueDuplicate'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'FieldValueNotFound'

const titles: Record<FieldErrorReason, string> = {
  FieldValueRequired: 'Required value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  FieldValueTypeInvalid: 'Invalid value',
  FieldValueNotFound: 'Not found',
}

/** In the place of a value that messages do not show. */
export const omitValue = Symbol('omitted')

/** One wrong field: `field` is the path ("spec.containers[0].image"), printed as kubectl users know it. */
export class FieldError {
  readonly reason: FieldErrorReason
  readonly field: string
  readonly value: unknown
  readonly detail: string

  constructor(reason: FieldErrorReason, field: string, value: unknown, detail: string) {
    this.reason = reason
    this.field = field
    this.value = value
    this.detail = detail
  }

  /** The message without the path: `Invalid value: "x": must be …`. */
  body(): string {
    const title = titles[this.reason]
    const withoutValue =
      this.reason === 'FieldValueRequired' ||
      this.reason === 'FieldValueForbidden' ||
      this.reason === 'FieldValueTooLong' ||
      this.reason === 'FieldValueTooMany' ||
      this.value === omitValue
    const head = withoutValue ? title : `${title}: ${formatValue(this.value)}`
    return this.detail === '' ? head : `${head}: ${this.detail}`
  }

  toString(): string {
    return `${this.field}: ${this.body()}`
  }
}

function formatValue(value: unknown): string {
  if (value === undefined || value === null) return 'null'
  return JSON.stringify(value)
}

export const required = (field: string, detail = ''): FieldError =>
  new FieldError('FieldValueRequired', field, '', detail)
export const invalidValue = (field: string, value: unknown, detail: string): FieldError =>
  new FieldError('FieldValueInvalid', field, value, detail)
export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError =>
  new FieldError(
    'FieldValueNotSupported',
    field,
    value,
    `supported values: ${[...supported]
      .sort()
      .map((v) => JSON.stringify(v))
      .join(', ')}`,
  )
export const forbiddenField = (field: string, detail: string): FieldError =>
  new FieldError('FieldValueForbidden', field, '', detail)
export const duplicate = (field: string, value: unknown): FieldError =>
  new FieldError('FieldValueDuplicate', field, value, '')
export const tooLong = (field: string, maxBytes: number): FieldError =>
  new FieldError('FieldValueTooLong', field, '', `may not be more than ${String(maxBytes)} bytes`)
export const tooMany = (field: string, actual: number, max: number): FieldError =>
  new FieldError('FieldValueTooMany', field, actual, `${String(actual)}: must have at most ${String(max)} items`)
export const notFoundField = (field: string, value: unknown): FieldError =>
  new FieldError('FieldValueNotFound', field, value, '')
