// Name rules of common/machinery applied to fields: each thing wrong with a name becomes one "Invalid value".
import { invalidValue, type FieldError } from '../../../common/machinery/field-error.ts'
import { validateConfigMapKey } from '../../../common/machinery/names.ts'
import { validateAnnotations, validateLabels } from '../../../common/machinery/object-meta-validation.ts'

export {
  validateDnsLabel as isDnsLabel,
  validateDns1035Label as isDnsLabel1035,
  validateDnsSubdomain as isDnsSubdomain,
  validateEnvironmentName as isEnvName,
  validateLabelValue as isLabelValue,
  validatePathSegment as isPathSegment,
  validatePortName as isPortName,
  validateQualifiedName as isQualifiedName,
} from '../../../common/machinery/names.ts'

type Labels = Readonly<Record<string, string>> | undefined

export function checkName(errors: FieldError[], path: string, value: string, rule: (value: string) => string[]): void {
  for (const problem of rule(value)) errors.push(invalidValue(path, value, problem))
}

export function checkConfigKey(errors: FieldError[], path: string, key: string): void {
  checkName(errors, path, key, validateConfigMapKey)
}

export function checkLabels(errors: FieldError[], path: string, labels: Labels): void {
  if (labels !== undefined) errors.push(...validateLabels(labels, path))
}

export function checkAnnotations(errors: FieldError[], path: string, annotations: Labels): void {
  if (annotations !== undefined) errors.push(...validateAnnotations(annotations, path))
}
