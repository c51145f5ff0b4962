// Validation of labels, annotations and label selectors, shared by object metadata and specs.
// Source: apimachinery pkg/apis/meta/v1/validation and pkg/api/validation.
import type { FieldError } from './field-error.ts'
import { forbiddenField, invalidValue, required, tooLong } from './field-error.ts'
import type { LabelSelector } from './meta.ts'
import { byteLength, validateLabelValue, validateQualifiedName } from './names.ts'

/** All annotations of an object together may take this many bytes. */
const maxAnnotationsBytes = 256 * 1024

export function validateLabels(labels: Readonly<Record<string, string>> | undefined, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const [key, value] of Object.entries(labels ?? {})) {
    errors.push(...validateQualifiedName(key).map((message) => invalidValue(path, key, message)))
    errors.push(...validateLabelValue(value).map((message) => invalidValue(path, value, message)))
  }
  return errors
}

export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  let total = 0
  for (const [key, value] of Object.entries(annotations ?? {})) {
    // Annotation keys may be written in capitals; the rule is applied to the lower-cased key.
    errors.push(...validateQualifiedName(key.toLowerCase()).map((message) => invalidValue(path, key, message)))
    total += byteLength(key) + byteLength(value)
  }
  if (total > maxAnnotationsBytes) errors.push(tooLong(path, maxAnnotationsBytes))
  return errors
}

export function validateLabelSelector(
  selector: LabelSelector | undefined,
  path: string,
  { allowInvalidLabelValues = false } = {},
): FieldError[] {
  if (selector === undefined) return []
  const errors = validateLabels(selector.matchLabels, `${path}.matchLabels`)
  for (const [index, { key, operator, values = [] }] of (selector.matchExpressions ?? []).entries()) {
    const at = `${path}.matchExpressions[${String(index)}]`
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) {
        errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
      }
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) {
        errors.push(
          forbiddenField(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        )
      }
    } else {
      errors.push(invalidValue(`${at}.operator`, operator, 'not a valid selector operator'))
    }
    errors.push(...validateQualifiedName(key).map((message) => invalidValue(`${at}.key`, key, message)))
    if (allowInvalidLabelValues) continue
    for (const [valueIndex, value] of values.entries()) {
      const valueAt = `${at}.values[${String(valueIndex)}]`
      errors.push(...validateLabelValue(value).map((message) => invalidValue(valueAt, value, message)))
    }
  }
  return errors
}
