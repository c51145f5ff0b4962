// What a Service keeps when a manifest without it is put again, and what it gives back when it no longer needs it.
import type { Service, ServiceSpec } from '../../../../common/api/generated/types.ts'
import { sameElements } from '../../validation/collections.ts'
import { isExternallyAccessible, needsHealthCheckPort } from './defaults.ts'

const needsAddress = ({ type = 'ClusterIP' }: ServiceSpec): boolean => type !== 'ExternalName'
const needsNodePort = ({ type }: ServiceSpec): boolean => type === 'NodePort' || type === 'LoadBalancer'
const isBalanced = ({ type }: ServiceSpec): boolean => type === 'LoadBalancer'

/** What the client left out but the Service already has. */
export function keepAllocated(object: Service, old: Service): void {
  object.spec ??= {}
  const { spec } = object
  const before = old.spec ?? {}
  if (needsAddress(before) && needsAddress(spec)) {
    if (!spec.clusterIP && before.clusterIP) spec.clusterIP = before.clusterIP
    if ((spec.clusterIPs ?? []).length === 0 && spec.clusterIP === before.clusterIP && before.clusterIPs)
      spec.clusterIPs = [...before.clusterIPs]
  }
  if (needsNodePort(before) && needsNodePort(spec)) keepNodePorts(spec, before)
  if (needsHealthCheckPort(before) && needsHealthCheckPort(spec) && before.healthCheckNodePort)
    spec.healthCheckNodePort ||= before.healthCheckNodePort
}

/** By the port's name; not where another port of the Service has taken the number. */
function keepNodePorts(spec: ServiceSpec, before: ServiceSpec): void {
  const taken = new Set(nodePortsOf(spec))
  for (const port of spec.ports ?? []) {
    const nodePort = before.ports?.find(({ name = '' }) => name === (port.name ?? ''))?.nodePort ?? 0
    if (!port.nodePort && nodePort !== 0 && !taken.has(nodePort)) port.nodePort = nodePort
  }
}

const nodePortsOf = ({ ports = [] }: ServiceSpec): number[] => ports.map(({ nodePort = 0 }) => nodePort)

/** Fields that do not go with the new type, when the client did not touch them: they were set for the old one. */
export function dropUnneeded({ spec = {} }: Service, { spec: old = {} }: Service): void {
  const isLost = (needs: (spec: ServiceSpec) => boolean): boolean => needs(old) && !needs(spec)
  const dropSame = (field: keyof ServiceSpec): void => {
    if (spec[field] === old[field]) Reflect.deleteProperty(spec, field)
  }
  if (isLost(needsAddress)) {
    if (sameElements(spec.clusterIPs, old.clusterIPs)) {
      delete spec.clusterIP
      delete spec.clusterIPs
    }
    if (sameElements(spec.ipFamilies, old.ipFamilies)) delete spec.ipFamilies
    dropSame('ipFamilyPolicy')
  }
  if (isLost(needsNodePort) && sameElements(nodePortsOf(spec), nodePortsOf(old)))
    for (const port of spec.ports ?? []) delete port.nodePort
  if (isLost(needsHealthCheckPort)) dropSame('healthCheckNodePort')
  if (isLost(isBalanced)) {
    dropSame('allocateLoadBalancerNodePorts')
    dropSame('loadBalancerClass')
  }
  if (isLost(isExternallyAccessible)) dropSame('externalTrafficPolicy')
}
