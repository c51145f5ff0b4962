// Names of CSI and device drivers: DNS names of at most 63 bytes, capitals allowed.
import { invalidValue, required, tooLong, type FieldError } from '../../../common/machinery/field-error.ts'
import { byteLength } from '../../../common/machinery/names.ts'
import { isDnsSubdomain } from '../validation/names.ts'

const maxBytes = 63

export function checkDriverName(errors: FieldError[], path: string, name: string): void {
  if (name === '') errors.push(required(path))
  if (byteLength(name) > maxBytes) errors.push(tooLong(path, maxBytes))
  for (const problem of isDnsSubdomain(name.toLowerCase())) errors.push(invalidValue(path, name, problem))
}
