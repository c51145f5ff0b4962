// Node ports: found by looking at all Services, so their writes must not run side by side (`serializeWrites`).
import type { Service, ServicePort } from '../../../../common/api/generated/types.ts'
import { invalidValue, type FieldError } from '../../../../common/machinery/field-error.ts'
import { internalError } from '../../../../common/machinery/status.ts'
import type { ClusterFacts, WriteContext } from '../../kind.ts'
import { bandOf, startOf } from './bands.ts'
import { needsHealthCheckPort } from './defaults.ts'

const hasNodePorts = ({ spec }: Service): boolean => spec?.type === 'NodePort' || spec?.type === 'LoadBalancer'
const getsNodePorts = ({ spec }: Service): boolean =>
  spec?.type === 'NodePort' || (spec?.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)

const portsOf = ({ spec }: Service): number[] =>
  (spec?.ports ?? []).flatMap(({ nodePort = 0 }) => (nodePort === 0 ? [] : [nodePort]))

/** Gives the Service the node ports it lacks, and takes those it asks for. StatusError when the range is full. */
export function allocatePorts(service: Service, old: Service | undefined, context: WriteContext): FieldError[] {
  const { spec } = service
  if (spec === undefined) return []
  const before = old === undefined ? [] : portsOf(old)
  const missing = (spec.ports ?? []).some(({ nodePort = 0 }) =>
    nodePort === 0 ? getsNodePorts(service) : !before.includes(nodePort),
  )
  const ports = hasNodePorts(service) && missing
  const health = needsHealthCheckPort(spec) && (old?.spec === undefined || !needsHealthCheckPort(old.spec))
  if (!ports && !health) return []
  const pool = new PortPool(service, context)
  if (ports) {
    const errors = old === undefined ? initPorts(service, pool) : updatePorts(service, before, pool)
    if (errors.length > 0) return errors
  }
  if (health) allocateHealthPort(service, pool)
  return []
}

/** The same port number of several protocols gets the same node port. */
function initPorts(service: Service, pool: PortPool): FieldError[] {
  const ports = service.spec?.ports ?? []
  const given = new Map<number, number>()
  for (const [index, port] of ports.entries()) {
    if (!port.nodePort && !getsNodePorts(service)) continue
    const number = port.port ?? 0
    const shared = given.get(number)
    if (shared !== undefined && (!port.nodePort || port.nodePort === shared)) {
      port.nodePort = shared
      continue
    }
    const requested = shared === undefined ? requestedPort(ports, number) : port.nodePort
    const errors = requested === undefined ? [] : pool.take(requested, index)
    if (errors.length > 0) return errors
    const nodePort = requested ?? pool.next()
    if (shared === undefined) {
      port.nodePort = nodePort
      given.set(number, nodePort)
    }
  }
  return []
}

const requestedPort = (ports: readonly ServicePort[], number: number): number | undefined =>
  ports.find(({ port, nodePort = 0 }) => port === number && nodePort !== 0)?.nodePort

function updatePorts(service: Service, before: readonly number[], pool: PortPool): FieldError[] {
  const taken = new Set(before)
  for (const [index, port] of (service.spec?.ports ?? []).entries()) {
    if (!port.nodePort) {
      if (getsNodePorts(service)) port.nodePort = pool.next()
    } else if (!taken.has(port.nodePort)) {
      const errors = pool.take(port.nodePort, index)
      if (errors.length > 0) return errors
      taken.add(port.nodePort)
    }
  }
  return []
}

function allocateHealthPort({ spec = {} }: Service, pool: PortPool): void {
  const wanted = spec.healthCheckNodePort ?? 0
  if (wanted === 0) {
    spec.healthCheckNodePort = pool.next('HealthCheck NodePort 0')
    return
  }
  const why = pool.refusal(wanted)
  if (why !== undefined)
    throw internalError(`failed to allocate requested HealthCheck NodePort ${String(wanted)}: ${why}`)
}

class PortPool {
  private readonly taken: Set<number>
  private readonly range: ClusterFacts['nodePortRange']
  private readonly start: bigint

  constructor({ metadata }: Service, context: WriteContext) {
    const { name, namespace, uid } = metadata
    // Its own ports count too: what it gives up may not come back in the same write.
    this.taken = new Set(
      (context.lookupAll('', 'services') as readonly Service[]).flatMap((other) => [
        ...portsOf(other),
        ...(other.metadata.name === name && other.metadata.namespace === namespace
          ? []
          : [other.spec?.healthCheckNodePort ?? 0]),
      ]),
    )
    this.range = context.cluster.nodePortRange
    this.start = startOf(uid)
  }

  refusal(port: number): string | undefined {
    const { from, to } = this.range
    if (port < from || port > to)
      return `provided port is not in the valid range. The range of valid ports is ${String(from)}-${String(to)}`
    if (this.taken.has(port)) return 'provided port is already allocated'
    this.taken.add(port)
    return undefined
  }

  take(port: number, index: number): FieldError[] {
    const why = this.refusal(port)
    return why === undefined ? [] : [invalidValue(`spec.ports[${String(index)}].nodePort`, port, why)]
  }

  next(what = 'nodePort'): number {
    const { from, to } = this.range
    const band = bandOf(to - from + 1, { smallest: 16, largest: 128, step: 32, atMost: 31 })
    const port = this.probe(from + band, to) ?? this.probe(from, from + band - 1)
    if (port === undefined) throw internalError(`failed to allocate a ${what}: range is full`)
    this.taken.add(port)
    return port
  }

  private probe(from: number, to: number): number | undefined {
    const count = to - from + 1
    if (count <= 0) return undefined
    const start = Number(this.start % BigInt(count))
    for (let step = 0; step < count; step += 1) {
      const port = from + ((start + step) % count)
      if (!this.taken.has(port)) return port
    }
    return undefined
  }
}
