// Names in device allocation: attributes and capacities ("model", "gpu.example.com/model"), pools, shares.
import { invalidValue, required, tooLong, type FieldError } from '../../../common/machinery/field-error.ts'
import { byteLength, patternMessage } from '../../../common/machinery/names.ts'
import { checkDriverName } from '../storage/driver-name.ts'
import { isDnsSubdomain } from '../validation/names.ts'

const maxIdBytes = 32
const maxPoolBytes = 253
const identifierPattern = '[A-Za-z_][A-Za-z0-9_]*'
const identifier = new RegExp(`^${identifierPattern}$`)
const identifierMessage = patternMessage(
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  identifierPattern,
  'my_name',
  'MY_NAME',
  'MyName',
)

function checkIdentifier(errors: FieldError[], path: string, id: string): void {
  if (byteLength(id) > maxIdBytes) errors.push(tooLong(path, maxIdBytes))
  if (!identifier.test(id)) errors.push(invalidValue(path, id, identifierMessage))
}

export function checkQualifiedName(errors: FieldError[], path: string, name: string): void {
  const [first = '', second, ...rest] = name.split('/')
  if (rest.length > 0) errors.push(invalidValue(path, name, 'must not contain more than one slash'))
  else if (second === undefined) checkIdentifier(errors, path, first)
  else {
    if (first === '') errors.push(invalidValue(path, '', 'the domain must not be empty'))
    else checkDriverName(errors, path, first)
    if (second === '') errors.push(invalidValue(path, '', 'the name must not be empty'))
    else checkIdentifier(errors, path, second)
  }
}

export function checkFullyQualifiedName(errors: FieldError[], path: string, name: string): void {
  checkQualifiedName(errors, path, name)
  if (!name.includes('/'))
    errors.push(invalidValue(path, name, 'a fully qualified name must be a domain and a name separated by a slash'))
}

export function checkPoolName(errors: FieldError[], path: string, name: string): void {
  if (name === '') {
    errors.push(required(path))
    return
  }
  if (byteLength(name) > maxPoolBytes) errors.push(tooLong(path, maxPoolBytes))
  for (const part of name.split('/'))
    for (const problem of isDnsSubdomain(part)) errors.push(invalidValue(path, part, problem))
}

export function checkShareId(errors: FieldError[], path: string, id: string): void {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return
  const detail =
    'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters'
  errors.push(invalidValue(path, id, detail))
}
