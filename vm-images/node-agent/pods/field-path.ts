// Downward API: values of a pod's own fields and of its containers' resources, for environment and volumes.
import type {
  Container,
  ObjectFieldSelector,
  Pod,
  Quantity,
  ResourceFieldSelector,
} from '../../../common/api/generated/types.ts'
import { quantityToBytes, quantityToMillis } from '../../../common/machinery/quantity.ts'

export interface NodeFacts {
  name: string
  addresses: readonly string[]
  allocatable: { cpuMillis: number; memoryBytes: number; ephemeralBytes: number }
}

export class FieldPathError extends Error {
  override readonly name = 'FieldPathError'
}

/** The text of `fieldRef`; pod addresses come from `podIps` because the status may not have reached the API yet. */
export function podField(
  pod: Pod,
  selector: ObjectFieldSelector,
  facts: { node: NodeFacts; podIps: readonly string[] },
): string {
  const { fieldPath } = selector
  const { metadata, spec } = pod
  const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(fieldPath)
  if (subscript !== null) {
    const [, field, key = ''] = subscript
    return (field === 'labels' ? metadata.labels : metadata.annotations)?.[key] ?? ''
  }
  switch (fieldPath) {
    case 'metadata.name':
      return metadata.name ?? ''
    case 'metadata.namespace':
      return metadata.namespace ?? ''
    case 'metadata.uid':
      return metadata.uid ?? ''
    case 'metadata.labels':
      return formatMap(metadata.labels)
    case 'metadata.annotations':
      return formatMap(metadata.annotations)
    case 'spec.nodeName':
      return spec?.nodeName ?? facts.node.name
    case 'spec.serviceAccountName':
      return spec?.serviceAccountName ?? ''
    case 'spec.restartPolicy':
      return spec?.restartPolicy ?? ''
    case 'status.hostIP':
      return facts.node.addresses[0] ?? ''
    case 'status.hostIPs':
      return facts.node.addresses.join(',')
    case 'status.podIP':
      return facts.podIps[0] ?? ''
    case 'status.podIPs':
      return facts.podIps.join(',')
    default:
      throw new FieldPathError(`unsupported fieldPath: ${fieldPath}`)
  }
}

/** key="value" lines in key order, with Go's quoting. */
function formatMap(map: Record<string, string> = {}): string {
  return Object.keys(map)
    .sort()
    .map((key) => `${key}=${JSON.stringify(map[key])}`)
    .join('\n')
}

/** The number of `resourceFieldRef`, divided by the divisor and rounded up; a missing limit is what the node has to give. */
export function resourceField(pod: Pod, own: Container, selector: ResourceFieldSelector, node: NodeFacts): string {
  const name = selector.containerName ?? own.name
  const container = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].find((c) => c.name === name)
  if (container === undefined) throw new FieldPathError(`container ${name} not found`)
  const [kind, resource = ''] = selector.resource.split('.')
  const { limits, requests } = container.resources ?? {}
  const value = kind === 'limits' ? limits?.[resource] : (requests?.[resource] ?? limits?.[resource])
  const divisor =
    selector.divisor === undefined || selector.divisor === '0' || selector.divisor === 0 ? '1' : selector.divisor
  const fallback = kind === 'limits' ? allocatableOf(resource, node) : 0
  if (resource === 'cpu') {
    const millis = value === undefined ? fallback : quantityToMillis(value)
    return String(Math.ceil(millis / quantityToMillis(divisor)))
  }
  const bytes = value === undefined ? fallback : quantityToBytes(value)
  return String(Math.ceil(bytes / toBytes(divisor)))
}

const toBytes = (divisor: Quantity): number => Math.max(1, quantityToBytes(divisor))

function allocatableOf(resource: string, { allocatable }: NodeFacts): number {
  if (resource === 'cpu') return allocatable.cpuMillis
  if (resource === 'memory') return allocatable.memoryBytes
  return resource === 'ephemeral-storage' ? allocatable.ephemeralBytes : 0
}
