// Pure: the older Endpoints object of a service, for clients that still read it.
import type {
  EndpointAddress,
  EndpointPort,
  EndpointSubset,
  Endpoints,
  Pod,
  Service,
} from '../../../common/api/generated/types.ts'
import { isPodFinished, isPodReady, isPodTerminating } from '../pods/pod-state.ts'
import { canonicalJson } from '../pods/template-hash.ts'
import { familyOf } from '../../../common/machinery/addresses.ts'
import { familiesOf, podAddresses } from '../endpoint-slices/families.ts'
import { endpointPorts, headlessLabel, isHeadless } from '../endpoint-slices/plan.ts'

export const endpointsManagedByLabel = 'endpoints.kubernetes.io/managed-by'
export const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity'
/** Addresses in one Endpoints object; upstream's limit. */
export const maxAddresses = 1_000

/** Undefined when `existing` is already right. */
export function planEndpoints(
  service: Service,
  pods: readonly Pod[],
  existing: Endpoints | undefined,
): Endpoints | undefined {
  const { subsets, truncated } = planSubsets(service, pods)
  const labels: Record<string, string> = {
    ...service.metadata.labels,
    [endpointsManagedByLabel]: 'endpoint-controller',
  }
  delete labels[headlessLabel]
  if (isHeadless(service)) labels[headlessLabel] = ''
  const annotations = { ...existing?.metadata.annotations }
  delete annotations[overCapacityAnnotation]
  if (truncated) annotations[overCapacityAnnotation] = 'truncated'
  const next: Endpoints = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      ...existing?.metadata,
      name: service.metadata.name,
      namespace: service.metadata.namespace,
      labels,
      annotations,
    },
    ...(subsets.length === 0 ? {} : { subsets }),
  }
  const essence = (endpoints: Endpoints): string =>
    canonicalJson([endpoints.subsets ?? [], endpoints.metadata.labels ?? {}, endpoints.metadata.annotations ?? {}])
  return existing !== undefined && essence(existing) === essence(next) ? undefined : next
}

function planSubsets(service: Service, pods: readonly Pod[]): { subsets: EndpointSubset[]; truncated: boolean } {
  const publishAll = service.spec?.publishNotReadyAddresses === true
  const groups = new Map<string, { ports: EndpointPort[]; ready: EndpointAddress[]; notReady: EndpointAddress[] }>()
  // One family: the service's first.
  const [family] = familiesOf(service)
  const portless = isHeadless(service) && (service.spec?.ports ?? []).length === 0
  let count = 0
  let truncated = false
  const sorted = [...pods].sort((a, b) => ((a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1))
  for (const pod of sorted) {
    const ip = podAddresses(pod).find((address) => familyOf(address) === family)
    if (isPodFinished(pod) || ip === undefined) continue
    if (isPodTerminating(pod) && !publishAll) continue
    const ports = endpointPorts(service, pod).map(toEndpointPort)
    // Unlike in slices, only a headless service without ports names pods without ports.
    if (ports.length === 0 && !portless) continue
    if (count >= maxAddresses) {
      truncated = true
      break
    }
    count++
    const key = canonicalJson(ports)
    let group = groups.get(key)
    if (group === undefined) {
      group = { ports, ready: [], notReady: [] }
      groups.set(key, group)
    }
    const into = publishAll || isPodReady(pod) ? group.ready : group.notReady
    into.push(addressOf(service, pod, ip))
  }
  const byIp = (a: EndpointAddress, b: EndpointAddress): number => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : 0)
  const subsets = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ports, ready, notReady }]) => ({
      ...(ready.length === 0 ? {} : { addresses: ready.sort(byIp) }),
      ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady.sort(byIp) }),
      ...(ports.length === 0 ? {} : { ports }),
    }))
  return { subsets, truncated }
}

/** Unlike in slices, an unnamed port has no name here. */
function toEndpointPort({
  name = '',
  port = 0,
  protocol,
  appProtocol,
}: {
  name?: string
  port?: number
  protocol?: string
  appProtocol?: string
}): EndpointPort {
  return { ...(name === '' ? {} : { name }), port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }
}

function addressOf(service: Service, pod: Pod, ip: string): EndpointAddress {
  const { nodeName, hostname, subdomain } = pod.spec ?? {}
  return {
    ip,
    ...(nodeName === undefined || nodeName === '' ? {} : { nodeName }),
    ...(hostname !== undefined && hostname !== '' && subdomain === service.metadata.name ? { hostname } : {}),
    targetRef: { kind: 'Pod', namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid },
  }
}
