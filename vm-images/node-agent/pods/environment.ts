// A container's environment, in the kubelet's order: service links, envFrom, env with $(VAR) expansion; later names win.
import type { ConfigMap, Container, EnvVar, Pod, Secret, Service } from '../../../common/api/generated/types.ts'
import { expand } from './expansion.ts'
import { podField, resourceField, type NodeFacts } from './field-path.ts'

export interface EnvironmentInput {
  pod: Pod
  container: Container
  node: NodeFacts
  podIps: readonly string[]
  /** Services whose addresses the container is told: its own namespace's, and kubernetes.default. */
  services: readonly Service[]
  /** Undefined: does not exist. */
  configMap: (name: string) => ConfigMap | undefined
  secret: (name: string) => Secret | undefined
}

/** A reference that cannot be resolved; the container waits with reason CreateContainerConfigError and this message. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError'
}

export function containerEnvironment(input: EnvironmentInput): Map<string, string> {
  const { container } = input
  const services = serviceLinks(input)
  const result = new Map<string, string>()
  for (const source of container.envFrom ?? []) {
    const prefix = source.prefix ?? ''
    for (const [key, value] of sourceEntries(source, input)) result.set(prefix + key, value)
  }
  for (const variable of container.env ?? []) {
    const value = variableValue(variable, input, (name) => result.get(name) ?? services.get(name))
    if (value !== undefined) result.set(variable.name, value)
  }
  // What the container says itself is never shadowed by service links.
  for (const [name, value] of services) if (!result.has(name)) result.set(name, value)
  return result
}

function sourceEntries(source: NonNullable<Container['envFrom']>[number], input: EnvironmentInput): [string, string][] {
  if (source.configMapRef !== undefined) {
    const { name = '', optional } = source.configMapRef
    const found = input.configMap(name)
    if (found === undefined && optional !== true) throw new EnvironmentError(`configmap "${name}" not found`)
    return Object.entries(found?.data ?? {})
  }
  if (source.secretRef !== undefined) {
    const { name = '', optional } = source.secretRef
    const found = input.secret(name)
    if (found === undefined && optional !== true) throw new EnvironmentError(`secret "${name}" not found`)
    return Object.entries(found?.data ?? {}).map(([key, value]) => [key, decode(value)])
  }
  return []
}

/** Undefined: an optional reference without a value; the variable is left out. */
function variableValue(
  variable: EnvVar,
  input: EnvironmentInput,
  lookup: (name: string) => string | undefined,
): string | undefined {
  const { value, valueFrom } = variable
  if (value !== undefined && value !== '') return expand(value, lookup)
  if (valueFrom === undefined) return ''
  const namespace = input.pod.metadata.namespace ?? ''
  if (valueFrom.fieldRef !== undefined) return podField(input.pod, valueFrom.fieldRef, input)
  if (valueFrom.resourceFieldRef !== undefined)
    return resourceField(input.pod, input.container, valueFrom.resourceFieldRef, input.node)
  if (valueFrom.configMapKeyRef !== undefined) {
    const { name = '', key, optional } = valueFrom.configMapKeyRef
    const found = input.configMap(name)
    const text = found?.data?.[key]
    if (text !== undefined || optional === true) return text
    throw new EnvironmentError(
      found === undefined
        ? `configmap "${name}" not found`
        : `couldn't find key ${key} in ConfigMap ${namespace}/${name}`,
    )
  }
  if (valueFrom.secretKeyRef !== undefined) {
    const { name = '', key, optional } = valueFrom.secretKeyRef
    const found = input.secret(name)
    const encoded = found?.data?.[key]
    if (encoded !== undefined) return decode(encoded)
    if (optional === true) return undefined
    throw new EnvironmentError(
      found === undefined ? `secret "${name}" not found` : `couldn't find key ${key} in Secret ${namespace}/${name}`,
    )
  }
  return undefined
}

const decode = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8')

/** NAME_SERVICE_HOST and the Docker-style variables of every service the pod may see. */
function serviceLinks({ pod, services }: EnvironmentInput): Map<string, string> {
  const result = new Map<string, string>()
  const namespace = pod.metadata.namespace ?? ''
  const links = pod.spec?.enableServiceLinks ?? true
  for (const service of services) {
    const { clusterIP, ports = [] } = service.spec ?? {}
    const master = service.metadata.namespace === 'default' && service.metadata.name === 'kubernetes'
    if (!master && (!links || service.metadata.namespace !== namespace)) continue
    if (clusterIP === undefined || clusterIP === '' || clusterIP === 'None' || ports.length === 0) continue
    const name = (service.metadata.name ?? '').toUpperCase().replaceAll('-', '_')
    const first = ports[0]
    if (first === undefined) continue
    result.set(`${name}_SERVICE_HOST`, clusterIP)
    result.set(`${name}_SERVICE_PORT`, String(first.port))
    for (const port of ports)
      if (port.name !== undefined && port.name !== '')
        result.set(`${name}_SERVICE_PORT_${port.name.toUpperCase().replaceAll('-', '_')}`, String(port.port))
    for (const [index, port] of ports.entries()) {
      const protocol = (port.protocol ?? 'TCP').toLowerCase()
      const url = `${protocol}://${clusterIP}:${String(port.port)}`
      const prefix = `${name}_PORT_${String(port.port)}_${protocol.toUpperCase()}`
      if (index === 0) result.set(`${name}_PORT`, url)
      result.set(prefix, url)
      result.set(`${prefix}_PROTO`, protocol)
      result.set(`${prefix}_PORT`, String(port.port))
      result.set(`${prefix}_ADDR`, clusterIP)
    }
  }
  return result
}
