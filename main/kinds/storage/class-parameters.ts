// What StorageClasses and VolumeAttributesClasses tell their driver.
import {
  forbiddenField,
  invalidValue,
  required,
  tooLong,
  type FieldError,
} from '../../../common/machinery/field-error.ts'
import { byteLength } from '../../../common/machinery/names.ts'
import { semanticEqual } from '../equality.ts'
import { checkName, isQualifiedName } from '../validation/names.ts'

const maxParameters = 512
const maxParameterBytes = 262_144

type Parameters = Readonly<Record<string, string>> | undefined

export function checkProvisioner(errors: FieldError[], path: string, name: string): void {
  if (name === '') errors.push(required(path))
  else checkName(errors, path, name.toLowerCase(), isQualifiedName)
}

export function checkParameters(errors: FieldError[], path: string, parameters: Parameters): void {
  const entries = Object.entries(parameters ?? {})
  if (entries.length > maxParameters) {
    errors.push(tooLong(path, maxParameters))
    return
  }
  if (entries.some(([key]) => key === '')) errors.push(invalidValue(path, '', 'field can not be empty.'))
  const bytes = entries.reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0)
  if (bytes > maxParameterBytes) errors.push(tooLong(path, maxParameterBytes))
}

/** "Forbidden: updates to <field> are forbidden." */
export function checkUnchanged<T extends object>(
  errors: FieldError[],
  object: T,
  old: T,
  fields: readonly (keyof T & string)[],
): void {
  for (const field of fields) {
    if (!semanticEqual(object[field], old[field]))
      errors.push(forbiddenField(field, `updates to ${field} are forbidden.`))
  }
}
