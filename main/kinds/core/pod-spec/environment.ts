// Validation of container environments.
import type { EnvFromSource, EnvVar, FileKeySelector } from '../../../../common/api/generated/types.ts'
import { invalidValue, required, type FieldError } from '../../../../common/machinery/field-error.ts'
import { checkConfigKey, checkName, isDnsLabel, isDnsSubdomain, isEnvName } from '../../validation/names.ts'
import { checkFieldRef, checkResourceFieldRef, environmentFields } from './downward-api.ts'
import { checkUnreservedPath } from './paths.ts'

export function checkEnv(errors: FieldError[], path: string, variables: readonly EnvVar[]): void {
  variables.forEach((variable, index) => {
    const at = `${path}[${String(index)}]`
    if (!variable.name) errors.push(required(`${at}.name`))
    else checkName(errors, `${at}.name`, variable.name, isEnvName)
    if (variable.valueFrom !== undefined) checkValueFrom(errors, `${at}.valueFrom`, variable)
  })
}

function checkValueFrom(errors: FieldError[], at: string, { value = '', valueFrom = {} }: EnvVar): void {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom
  if (fieldRef !== undefined) checkFieldRef(errors, `${at}.fieldRef`, fieldRef, environmentFields)
  if (resourceFieldRef !== undefined) checkResourceFieldRef(errors, `${at}.resourceFieldRef`, resourceFieldRef, false)
  if (configMapKeyRef !== undefined) checkKeyRef(errors, `${at}.configMapKeyRef`, configMapKeyRef)
  if (secretKeyRef !== undefined) checkKeyRef(errors, `${at}.secretKeyRef`, secretKeyRef)
  if (fileKeyRef !== undefined) checkFileKeyRef(errors, `${at}.fileKeyRef`, fileKeyRef)
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(
    (source) => source !== undefined,
  ).length
  if (count === 0) {
    errors.push(
      invalidValue(at, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`'),
    )
  } else if (value !== '') {
    errors.push(invalidValue(at, '', 'may not be specified when `value` is not empty'))
  } else if (count > 1) {
    errors.push(invalidValue(at, '', 'may not have more than one field specified at a time'))
  }
}

/** A variable of a file that an earlier container wrote. */
function checkFileKeyRef(errors: FieldError[], at: string, { volumeName, path, key }: FileKeySelector): void {
  if (!volumeName) errors.push(required(`${at}.volumeName`))
  else checkName(errors, `${at}.volumeName`, volumeName, isDnsLabel)
  if (!path) errors.push(required(`${at}.path`))
  else checkUnreservedPath(errors, `${at}.path`, path)
  if (!key) errors.push(required(`${at}.key`))
  else checkName(errors, `${at}.key`, key, isEnvName)
}

function checkKeyRef(errors: FieldError[], at: string, { name = '', key }: { name?: string; key: string }): void {
  checkName(errors, `${at}.name`, name, isDnsSubdomain)
  if (!key) errors.push(required(`${at}.key`))
  else checkConfigKey(errors, `${at}.key`, key)
}

export function checkEnvFrom(errors: FieldError[], path: string, sources: readonly EnvFromSource[]): void {
  sources.forEach(({ prefix = '', configMapRef, secretRef }, index) => {
    const at = `${path}[${String(index)}]`
    if (prefix !== '') checkName(errors, `${at}.prefix`, prefix, isEnvName)
    for (const [field, ref] of [
      ['configMapRef', configMapRef],
      ['secretRef', secretRef],
    ] as const) {
      if (ref === undefined) continue
      if (!ref.name) errors.push(required(`${at}.${field}.name`))
      else checkName(errors, `${at}.${field}.name`, ref.name, isDnsSubdomain)
    }
    if (configMapRef === undefined && secretRef === undefined) {
      errors.push(invalidValue(path, '', 'must specify one of: `configMapRef` or `secretRef`'))
    } else if (configMapRef !== undefined && secretRef !== undefined) {
      errors.push(invalidValue(path, '', 'may not have more than one field specified at a time'))
    }
  })
}
