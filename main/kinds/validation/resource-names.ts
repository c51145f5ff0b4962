// Names of compute resources: "cpu", "hugepages-2Mi", "example.com/gpu".
import { invalidValue, type FieldError } from '../../../common/machinery/field-error.ts'
import { checkName, isQualifiedName } from './names.ts'

const container = new Set(['cpu', 'memory', 'ephemeral-storage'])
const quota = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
])
const standard = new Set([...quota, 'storage'])

export const isHugePages = (name: string): boolean => name.startsWith('hugepages-')
const isQuotaHugePages = (name: string): boolean =>
  name.startsWith('hugepages-') || name.startsWith('requests.hugepages-')

export const isNativeResource = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/')

/** "example.com/gpu": not Kubernetes' own, and usable in a quota ("requests.example.com/gpu"). */
export const isExtendedResource = (name: string): boolean =>
  !isNativeResource(name) && !name.startsWith('requests.') && isQualifiedName(`requests.${name}`).length === 0

/** Any resource; false when something was wrong. */
export function checkResourceName(errors: FieldError[], path: string, name: string): boolean {
  const before = errors.length
  checkName(errors, path, name, isQualifiedName)
  if (errors.length > before) return false
  if (name.includes('/') || standard.has(name) || isQuotaHugePages(name)) return true
  errors.push(invalidValue(path, name, 'must be a standard resource type or fully qualified'))
  return false
}

export function checkContainerResourceName(errors: FieldError[], path: string, name: string): void {
  checkResourceName(errors, path, name)
  if (!name.includes('/')) {
    if (!container.has(name) && !isHugePages(name))
      errors.push(invalidValue(path, name, 'must be a standard resource for containers'))
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    errors.push(invalidValue(path, name, "doesn't follow extended resource name standard"))
  }
}

export function checkQuotaResourceName(errors: FieldError[], path: string, name: string): void {
  checkResourceName(errors, path, name)
  if (name.includes('/') || quota.has(name) || isQuotaHugePages(name)) return
  // Object counts of any resource: "count/deployments.apps" has a slash and needs no entry here.
  errors.push(invalidValue(path, name, 'must be a standard resource for quota'))
}
