// Validation of references to a pod's own fields: in environment variables and downward API files.
import type {
  DownwardAPIVolumeFile,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from '../../../../common/api/generated/types.ts'
import { invalidValue, notSupported, required, type FieldError } from '../../../../common/machinery/field-error.ts'
import { canonicalQuantity } from '../../../../common/machinery/quantity.ts'
import { checkName, isQualifiedName } from '../../validation/names.ts'
import { checkFileMode, checkUnreservedPath } from './paths.ts'

const volumeFields = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid']
export const environmentFields = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]
/** What field paths of pods exist at all. */
const convertible = new Set([
  ...volumeFields,
  ...environmentFields,
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
  'spec.host',
])
const resourceFields = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
]
const byteDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']

export function checkDownwardFile(errors: FieldError[], at: string, file: DownwardAPIVolumeFile): void {
  if (!file.path) errors.push(required(`${at}.path`))
  else checkUnreservedPath(errors, `${at}.path`, file.path)
  if (file.fieldRef !== undefined) {
    checkFieldRef(errors, `${at}.fieldRef`, file.fieldRef, volumeFields)
    if (file.resourceFieldRef !== undefined) {
      errors.push(invalidValue(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'))
    }
  } else if (file.resourceFieldRef !== undefined) {
    checkResourceFieldRef(errors, `${at}.resourceFieldRef`, file.resourceFieldRef, true)
  } else {
    errors.push(required(at, 'one of fieldRef and resourceFieldRef is required'))
  }
  checkFileMode(errors, `${at}.mode`, file.mode)
}

export function checkFieldRef(
  errors: FieldError[],
  at: string,
  ref: ObjectFieldSelector,
  allowed: readonly string[],
): void {
  const { apiVersion, fieldPath } = ref
  if (!apiVersion) {
    errors.push(required(`${at}.apiVersion`))
    return
  }
  if (!fieldPath) {
    errors.push(required(`${at}.fieldPath`))
    return
  }
  const subscripted = /^(.*)\['(.*)'\]$/.exec(fieldPath)
  const [, map = '', key = ''] = subscripted ?? []
  if (apiVersion !== 'v1') {
    errors.push(
      invalidValue(`${at}.fieldPath`, fieldPath, `error converting fieldPath: unsupported pod version: ${apiVersion}`),
    )
  } else if (subscripted !== null) {
    if (map === 'metadata.annotations') checkName(errors, at, key.toLowerCase(), isQualifiedName)
    else if (map === 'metadata.labels') checkName(errors, at, key, isQualifiedName)
    else {
      const problem = `error converting fieldPath: field label does not support subscript: ${fieldPath}`
      errors.push(invalidValue(`${at}.fieldPath`, fieldPath, problem))
    }
  } else if (!convertible.has(fieldPath)) {
    errors.push(
      invalidValue(`${at}.fieldPath`, fieldPath, `error converting fieldPath: field label not supported: ${fieldPath}`),
    )
  } else if (!allowed.includes(fieldPath)) {
    errors.push(notSupported(`${at}.fieldPath`, fieldPath, allowed))
  }
}

export function checkResourceFieldRef(
  errors: FieldError[],
  at: string,
  ref: ResourceFieldSelector,
  inVolume: boolean,
): void {
  const { containerName = '', resource = '', divisor = '0' } = ref
  const hugePages = resource.startsWith('limits.hugepages-') || resource.startsWith('requests.hugepages-')
  if (inVolume && containerName === '') errors.push(required(`${at}.containerName`))
  else if (resource === '') errors.push(required(`${at}.resource`))
  else if (!resourceFields.includes(resource) && !hugePages)
    errors.push(notSupported(`${at}.resource`, resource, resourceFields))
  const unit = canonicalQuantity(divisor)
  if (unit === '0') return
  const refuse = (allowed: string, what: string): void => {
    errors.push(
      invalidValue(
        `${at}.divisor`,
        resource,
        `only divisor's values ${allowed} are supported with the ${what} resource`,
      ),
    )
  }
  const bytes = byteDivisors.join(', ')
  if (resource.endsWith('.cpu')) {
    if (unit !== '1m' && unit !== '1') refuse('1m and 1', 'cpu')
  } else if (!byteDivisors.includes(unit)) {
    if (resource.endsWith('.memory')) refuse(bytes, 'memory')
    else if (resource.endsWith('.ephemeral-storage')) refuse(bytes, 'local ephemeral storage')
    else if (hugePages) refuse(bytes, 'hugepages')
  }
}
