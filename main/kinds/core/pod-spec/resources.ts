// Validation of container and pod resource requirements.
import type { Quantity, ResourceRequirements } from '../../../../common/api/generated/types.ts'
import {
  duplicate,
  FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from '../../../../common/machinery/field-error.ts'
import {
  canonicalQuantity,
  compareQuantities,
  isQuantity,
  parseQuantity,
} from '../../../../common/machinery/quantity.ts'
import { checkName, isDnsLabel } from '../../validation/names.ts'
import { checkResourceQuantity } from '../../validation/quantity.ts'
import {
  checkContainerResourceName,
  checkResourceName,
  isHugePages,
  isNativeResource,
} from '../../validation/resource-names.ts'

/** Only native resources other than huge pages may be promised more than once. */
const mayOvercommit = (name: string): boolean => isNativeResource(name) && !isHugePages(name)

export interface RequirementsOptions {
  /** Resources of the pod as a whole: cpu, memory and huge pages. */
  readonly ofPod?: boolean
  readonly claims: ReadonlySet<string>
}

export function checkResources(
  errors: FieldError[],
  path: string,
  { limits = {}, requests = {}, claims }: ResourceRequirements,
  options: RequirementsOptions,
): void {
  const names = new Set([...Object.keys(limits), ...Object.keys(requests)])
  for (const [name, quantity] of Object.entries(limits))
    checkOne(errors, `${path}.limits[${name}]`, name, quantity, options)
  for (const [name, quantity] of Object.entries(requests)) {
    checkOne(errors, `${path}.requests[${name}]`, name, quantity, options)
    checkAgainstLimit(errors, path, name, quantity, limits[name])
  }
  if ([...names].some(isHugePages) && !names.has('cpu') && !names.has('memory')) {
    errors.push(forbiddenField(path, 'HugePages require cpu or memory'))
  }
  checkClaims(errors, `${path}.claims`, claims ?? [], options.claims)
}

function checkOne(
  errors: FieldError[],
  path: string,
  name: string,
  quantity: Quantity,
  { ofPod = false }: RequirementsOptions,
): void {
  if (ofPod) {
    const before = errors.length
    checkResourceName(errors, path, name)
    if (errors.length === before && name !== 'cpu' && name !== 'memory' && !isHugePages(name)) {
      errors.push(notSupported(path, name, ['cpu', 'hugepages-', 'memory']))
    }
  } else {
    checkContainerResourceName(errors, path, name)
  }
  if (!checkResourceQuantity(errors, path, name, quantity) || !isHugePages(name)) return
  const pageSize = name.slice('hugepages-'.length)
  if (isQuantity(pageSize) && parseQuantity(quantity).nanos % parseQuantity(pageSize).nanos !== 0n) {
    const text = canonicalQuantity(quantity)
    errors.push(invalidValue(path, text, `${text} is not positive integer multiple of ${name}`))
  }
}

function checkAgainstLimit(
  errors: FieldError[],
  path: string,
  name: string,
  request: Quantity,
  limit: Quantity | undefined,
): void {
  if (limit === undefined) {
    if (!mayOvercommit(name))
      errors.push(required(`${path}.limits`, 'Limit must be set for non overcommitable resources'))
    return
  }
  if (!isQuantity(request) || !isQuantity(limit)) return
  const order = compareQuantities(request, limit)
  const of = `${name} limit of ${canonicalQuantity(limit)}`
  if (order !== 0 && !mayOvercommit(name)) {
    errors.push(invalidValue(`${path}.requests`, canonicalQuantity(request), `must be equal to ${of}`))
  } else if (order > 0) {
    errors.push(invalidValue(`${path}.requests`, canonicalQuantity(request), `must be less than or equal to ${of}`))
  }
}

function checkClaims(
  errors: FieldError[],
  path: string,
  claims: readonly { name: string; request?: string }[],
  declared: ReadonlySet<string>,
): void {
  const seen = new Set<string>()
  claims.forEach(({ name, request = '' }, index) => {
    const at = `${path}[${String(index)}]`
    if (!name) {
      errors.push(required(at))
      return
    }
    const key = request === '' ? name : `${name}/${request}`
    if (request !== '') checkName(errors, `${at}.request`, request, isDnsLabel)
    if (
      seen.has(name) ||
      seen.has(key) ||
      (request === '' && [...seen].some((other) => other.startsWith(`${name}/`)))
    ) {
      errors.push(duplicate(at, key))
    }
    seen.add(key)
    if (!declared.has(name)) {
      const known = declared.size === 0 ? ' which is empty' : `: ${[...declared].sort().join(', ')}`
      errors.push(
        new FieldError('FieldValueNotFound', at, name, `must be one of the names in pod.spec.resourceClaims${known}`),
      )
    }
  })
}

/** Pod-level requests must cover those of the containers, and no container may have a higher limit than its pod. */
export function checkPodResources(
  errors: FieldError[],
  path: string,
  resources: ResourceRequirements,
  containers: readonly { resources?: ResourceRequirements }[],
  claims: ReadonlySet<string>,
): void {
  if (resources.claims !== undefined)
    errors.push(forbiddenField(`${path}.claims`, 'claims cannot be set for Resources at pod-level'))
  const before = errors.length
  checkResources(errors, path, { limits: resources.limits, requests: resources.requests }, { ofPod: true, claims })
  if (errors.length > before) return
  for (const name of new Set(containers.flatMap((container) => Object.keys(container.resources?.requests ?? {})))) {
    const requests = containers.map((container) => container.resources?.requests?.[name] ?? '0').filter(isQuantity)
    const sum = requests.reduce((total, request) => total + parseQuantity(request).nanos, 0n)
    const ofPod = parseQuantity(resources.requests?.[name] ?? '0')
    if (sum > ofPod.nanos) {
      const total = canonicalQuantity(`${String(sum / 1_000_000n)}m`)
      const detail = `must be greater than or equal to aggregate container requests of ${total}`
      errors.push(
        invalidValue(`${path}.requests[${name}]`, canonicalQuantity(resources.requests?.[name] ?? '0'), detail),
      )
    }
  }
  containers.forEach((container, index) => {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
      const ofPod = resources.limits?.[name]
      if (ofPod !== undefined && isQuantity(limit) && compareQuantities(limit, ofPod) > 0) {
        const at = `${path}.containers[${String(index)}][${name}].limits`
        const detail = `must be less than or equal to pod limits of ${canonicalQuantity(ofPod)}`
        errors.push(invalidValue(at, canonicalQuantity(limit), detail))
      }
    }
  })
}
