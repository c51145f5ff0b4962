import { expect, it } from 'vitest'
import { StatusError } from '../../common/machinery/status.ts'
import { errorWords, fieldErrors, plainComplaint } from './error-words.ts'

const invalid = new StatusError({
  code: 422,
  reason: 'Invalid',
  message: 'Machine "x" is invalid',
  details: {
    causes: [
      { reason: 'FieldValueInvalid', field: 'spec.cpus', message: 'Invalid value: 0: must be at least 1' },
      { reason: 'FieldValueRequired', field: 'spec.arch', message: 'Required value' },
      { reason: 'FieldValueInvalid', field: 'spec.cpus', message: 'second' },
    ],
  },
})

it('gives each field its complaints', () => {
  expect([...fieldErrors(invalid)]).toEqual([
    ['spec.cpus', 'Invalid value: 0: must be at least 1; second'],
    ['spec.arch', 'Required value'],
  ])
  expect(fieldErrors(new Error('x')).size).toBe(0)
})

it('says which type a field needs instead of what the decoder is written in', () => {
  const decoder = new StatusError({
    code: 400,
    reason: 'BadRequest',
    message:
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
  })
  expect(errorWords(decoder).message).toBe('spec.replicas must be a whole number, not a string.')
})

it('lists causes and a remedy', () => {
  expect(errorWords(invalid).causes).toHaveLength(3)
  expect(errorWords(new StatusError({ code: 409, reason: 'Conflict', message: 'm' })).remedy).toContain(
    'newest version',
  )
})

it.each([
  [
    'Invalid value: 64: must be at least 256: below that the node cannot boot',
    'Must be at least 256: below that the node cannot boot.',
  ],
  [
    `Invalid value: "Bad_Name": a lowercase RFC 1123 label must consist of '-' (e.g. 'my-name', regex used for validation is '[a-z]')`,
    "A lowercase RFC 1123 label must consist of '-'.",
  ],
  ['Unsupported value: "mips": supported values: "amd64", "arm64"', 'Supported values: "amd64", "arm64".'],
  ['Required value', 'Needed.'],
  ['Required value: name the port', 'Needed: name the port.'],
])('%s', (message, plain) => {
  expect(plainComplaint(message)).toBe(plain)
})
