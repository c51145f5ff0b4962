// Secret: small sensitive data under file-like keys. `stringData` is a write-only convenience.
import type { Secret } from '../../../../common/api/generated/types.ts'
import {
  forbiddenField,
  invalidValue,
  required,
  tooLong,
  type FieldError,
} from '../../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../../columns.ts'
import { semanticEqual } from '../../equality.ts'
import { defineKind } from '../../kind.ts'
import { problemOfPair } from './key-pair.ts'
import { checkConfigKey } from '../../validation/names.ts'
import { checkImmutable } from '../../validation/values.ts'
import { decodedLength, maxDataBytes } from '../data-size.ts'

export const secret = defineKind('v1/secrets', {
  setDefaults: (object) => {
    object.type ||= 'Opaque'
    if (object.stringData === undefined) return
    object.data = { ...object.data }
    for (const [key, value] of Object.entries(object.stringData))
      object.data[key] = Buffer.from(value).toString('base64')
    delete object.stringData
  },
  validate,
  update: {
    prepare: (object, old) => {
      // A client that sends no type means the one it has.
      object.type ||= old.type
    },
    validate: validateUpdate,
  },
  warnings: (object) => {
    const problem = object.type === 'kubernetes.io/tls' ? problemOfPair(object.data) : undefined
    return problem === undefined ? [] : [problem]
  },
  selectableFields: ({ type }) => ({ type: type ?? '' }),
  columns: [
    nameColumn,
    { name: 'Type', type: 'string', cell: ({ type }) => type ?? '' },
    { name: 'Data', type: 'string', cell: ({ data }) => Object.keys(data ?? {}).length },
    ageColumn,
  ],
})

const serviceAccountName = 'kubernetes.io/service-account.name'

function validate({ metadata, data = {}, type }: Secret): FieldError[] {
  const errors: FieldError[] = []
  let bytes = 0
  for (const [key, value] of Object.entries(data)) {
    checkConfigKey(errors, `data[${key}]`, key)
    bytes += decodedLength(value)
  }
  if (bytes > maxDataBytes) errors.push(tooLong('data', maxDataBytes))
  const need = (...keys: string[]): void => {
    for (const key of keys) if (data[key] === undefined) errors.push(required(`data[${key}]`))
  }
  switch (type) {
    case 'kubernetes.io/service-account-token':
      if (!metadata.annotations?.[serviceAccountName])
        errors.push(required(`metadata.annotations[${serviceAccountName}]`))
      break
    case 'kubernetes.io/dockercfg':
      checkJson(errors, '.dockercfg', data)
      break
    case 'kubernetes.io/dockerconfigjson':
      checkJson(errors, '.dockerconfigjson', data)
      break
    case 'kubernetes.io/basic-auth':
      if (data.username === undefined && data.password === undefined)
        errors.push(required('data[username]'), required('data[password]'))
      break
    case 'kubernetes.io/ssh-auth':
      if (!data['ssh-privatekey']) errors.push(required('data[ssh-privatekey]'))
      break
    case 'kubernetes.io/tls':
      need('tls.crt', 'tls.key')
      break
    default:
      break
  }
  return errors
}

function checkJson(errors: FieldError[], key: string, data: Readonly<Record<string, string>>): void {
  const value = data[key]
  if (value === undefined) {
    errors.push(required(`data[${key}]`))
    return
  }
  try {
    JSON.parse(Buffer.from(value, 'base64').toString('utf8'))
  } catch (error) {
    errors.push(
      invalidValue(`data[${key}]`, '<secret contents redacted>', error instanceof Error ? error.message : 'not JSON'),
    )
  }
}

function validateUpdate(object: Secret, old: Secret): FieldError[] {
  const errors: FieldError[] = []
  checkImmutable(errors, 'type', object.type, old.type)
  if (old.immutable === true) {
    if (object.immutable !== true)
      errors.push(forbiddenField('immutable', 'field is immutable when `immutable` is set'))
    if (!semanticEqual(object.data, old.data))
      errors.push(forbiddenField('data', 'field is immutable when `immutable` is set'))
  }
  return errors
}
