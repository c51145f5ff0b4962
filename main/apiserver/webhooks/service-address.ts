// Where a Service really is, seen from the engine: an address it can dial itself, or one that a node has to dial for it.
import type { EndpointSlice, Pod, Service } from '../../../common/api/generated/types.ts'
import { lookup, lookupAll, type Registry } from '../registry/context.ts'

export interface ServiceAddress {
  readonly host: string
  readonly port: number
  /** The node that reaches it; undefined when the engine dials itself. */
  readonly node: string | undefined
}

export interface ServicePort {
  readonly namespace: string
  readonly name: string
  readonly port: number
}

/** A ready endpoint of the service. Throws an Error that says what is missing, as upstream's resolver does. */
export function findServiceAddress(registry: Registry, { namespace, name, port }: ServicePort): ServiceAddress {
  const service = lookup(registry, '', 'services', namespace, name)?.object as Service | undefined
  if (service?.spec === undefined) throw new Error(`service ${JSON.stringify(name)} not found`)
  if (service.spec.type === 'ExternalName') return { host: service.spec.externalName ?? '', port, node: undefined }
  const chosen = (service.spec.ports ?? []).find((candidate) => candidate.port === port)
  if (chosen === undefined) throw new Error(`no service port ${String(port)} found for service ${JSON.stringify(name)}`)
  for (const { object } of lookupAll(registry, 'discovery.k8s.io', 'endpointslices', namespace)) {
    const slice = object as EndpointSlice
    if (slice.metadata?.labels?.['kubernetes.io/service-name'] !== name) continue
    const slicePort = (slice.ports ?? []).find((candidate) => (candidate.name ?? '') === (chosen.name ?? ''))?.port
    const endpoint = (slice.endpoints ?? []).find(({ conditions }) => conditions?.ready !== false)
    const [host] = endpoint?.addresses ?? []
    if (slicePort === undefined || endpoint === undefined || host === undefined) continue
    const { nodeName, targetRef } = endpoint
    const pod = targetRef?.kind === 'Pod' ? lookup(registry, '', 'pods', namespace, targetRef.name ?? '') : undefined
    return { host, port: slicePort, node: nodeName ?? (pod?.object as Pod | undefined)?.spec?.nodeName }
  }
  throw new Error(`no endpoints available for service ${JSON.stringify(name)}`)
}
