// ConfigMap: text and binary data under file-like keys; `immutable: true` freezes the data for good.
import type { ConfigMap } from '../../../common/api/generated/types.ts'
import { forbiddenField, invalidValue, tooLong, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { semanticEqual } from '../equality.ts'
import { defineKind } from '../kind.ts'
import { decodedLength, maxDataBytes } from './data-size.ts'
import { checkConfigKey } from '../validation/names.ts'

export const configMap = defineKind('v1/configmaps', {
  shortNames: ['cm'],
  validate,
  update: { validate: validateUpdate },
  columns: [
    nameColumn,
    {
      name: 'Data',
      type: 'string',
      cell: ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
    },
    ageColumn,
  ],
})

function validate({ data = {}, binaryData = {} }: ConfigMap): FieldError[] {
  const errors: FieldError[] = []
  let bytes = 0
  for (const [key, value] of Object.entries(data)) {
    checkConfigKey(errors, `data[${key}]`, key)
    if (Object.hasOwn(binaryData, key))
      errors.push(invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData'))
    bytes += Buffer.byteLength(value)
  }
  for (const [key, value] of Object.entries(binaryData)) {
    checkConfigKey(errors, `binaryData[${key}]`, key)
    bytes += decodedLength(value)
  }
  if (bytes > maxDataBytes) errors.push(tooLong('[]', maxDataBytes))
  return errors
}

function validateUpdate(object: ConfigMap, old: ConfigMap): FieldError[] {
  if (old.immutable !== true) return []
  const errors: FieldError[] = []
  if (object.immutable !== true) errors.push(forbiddenField('immutable', 'field is immutable when `immutable` is set'))
  for (const field of ['data', 'binaryData'] as const) {
    if (!semanticEqual(object[field], old[field])) {
      errors.push(forbiddenField(field, 'field is immutable when `immutable` is set'))
    }
  }
  return errors
}
