// Validation of Services.
import type { Service, ServicePort, ServiceSpec } from '../../../../common/api/generated/types.ts'
import {
  duplicate,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  type FieldError,
} from '../../../../common/machinery/field-error.ts'
import { checkAddress, checkCidr, isAddress } from '../../validation/ip.ts'
import { checkLabels, checkName, isDnsLabel, isDnsSubdomain, isQualifiedName } from '../../validation/names.ts'
import { checkNotSpecialAddress } from '../../validation/special-address.ts'
import { checkOneOf, checkPort, checkPortNumberOrName } from '../../validation/values.ts'
import { isExternallyAccessible, isHeadless, needsHealthCheckPort } from './defaults.ts'
import { checkFamilies, checkFamilyUpdate } from './family-validation.ts'

export function checkService({ spec = {} }: Service): FieldError[] {
  const errors: FieldError[] = []
  const { type, ports = [], clusterIPs = [] } = spec
  const headless = isHeadless(spec)
  if (ports.length === 0 && !headless && type !== 'ExternalName') errors.push(required('spec.ports'))
  if ((type === 'LoadBalancer' || type === 'NodePort') && headless) {
    errors.push(invalidValue('spec.clusterIPs[0]', clusterIPs[0], `may not be set to 'None' for ${type} services`))
  }
  if (type === 'ExternalName') checkExternalName(errors, spec)
  checkPorts(errors, spec)
  checkLabels(errors, 'spec.selector', spec.selector)
  checkAffinity(errors, spec)
  errors.push(...checkFamilies(spec))
  spec.externalIPs?.forEach((address, index) => {
    const path = `spec.externalIPs[${String(index)}]`
    const before = errors.length
    checkAddress(errors, path, address)
    if (errors.length === before) checkNotSpecialAddress(errors, path, address)
  })
  checkOneOf(errors, 'spec.type', type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'])
  checkLoadBalancer(errors, spec)
  checkTraffic(errors, spec)
  return errors
}

function checkExternalName(
  errors: FieldError[],
  { clusterIPs = [], ipFamilies = [], ipFamilyPolicy, externalName = '' }: ServiceSpec,
): void {
  const detail = 'may not be set for ExternalName services'
  if (clusterIPs.length > 0) errors.push(forbiddenField('spec.clusterIPs', detail))
  if (ipFamilies.length > 0) errors.push(forbiddenField('spec.ipFamilies', detail))
  if (ipFamilyPolicy !== undefined) errors.push(forbiddenField('spec.ipFamilyPolicy', detail))
  const name = externalName.replace(/\.$/, '')
  if (name === '') errors.push(required('spec.externalName'))
  else checkName(errors, 'spec.externalName', name, isDnsSubdomain)
}

function checkPorts(errors: FieldError[], { ports = [], type }: ServiceSpec): void {
  const names = new Set<string>()
  const [numbers, nodePorts] = [new Set<string>(), new Set<string>()]
  ports.forEach((port, index) => {
    const path = `spec.ports[${String(index)}]`
    const { name = '', protocol = '', nodePort = 0 } = port
    if (name === '' && ports.length > 1) errors.push(required(`${path}.name`))
    else if (name !== '') {
      checkName(errors, `${path}.name`, name, isDnsLabel)
      if (names.has(name)) errors.push(duplicate(`${path}.name`, name))
      names.add(name)
    }
    checkPort(errors, `${path}.port`, port.port ?? 0)
    checkOneOf(errors, `${path}.protocol`, protocol, ['SCTP', 'TCP', 'UDP'])
    checkPortNumberOrName(errors, `${path}.targetPort`, port.targetPort ?? 0)
    if (port.appProtocol !== undefined) checkName(errors, `${path}.appProtocol`, port.appProtocol, isQualifiedName)
    if (type === 'ClusterIP' && nodePort !== 0)
      errors.push(forbiddenField(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'"))
    checkUnique(
      errors,
      `${path}.nodePort`,
      nodePorts,
      nodePort === 0 ? '' : `${protocol}/${String(nodePort)}`,
      nodePort,
    )
    const shown: ServicePort = { protocol, port: port.port }
    checkUnique(errors, path, numbers, `${protocol}/${String(port.port)}`, shown)
  })
}

function checkUnique(errors: FieldError[], path: string, taken: Set<string>, key: string, value: unknown): void {
  if (key === '') return
  if (taken.has(key)) errors.push(duplicate(path, value))
  taken.add(key)
}

function checkAffinity(errors: FieldError[], { sessionAffinity, sessionAffinityConfig }: ServiceSpec): void {
  checkOneOf(errors, 'spec.sessionAffinity', sessionAffinity, ['ClientIP', 'None'])
  if (sessionAffinity !== 'ClientIP') return
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 0
  if (seconds <= 0 || seconds > 86_400) {
    const path = 'spec.sessionAffinityConfig.clientIP.timeoutSeconds'
    errors.push(invalidValue(path, seconds, 'must be greater than 0 and less than 86400'))
  }
}

function checkLoadBalancer(errors: FieldError[], spec: ServiceSpec): void {
  const only = "may only be used when `type` is 'LoadBalancer'"
  const balanced = spec.type === 'LoadBalancer'
  const ranges = spec.loadBalancerSourceRanges ?? []
  if (ranges.length > 0 && !balanced) errors.push(forbiddenField('spec.LoadBalancerSourceRanges', only))
  ranges.forEach((range, index) => {
    checkCidr(errors, `spec.LoadBalancerSourceRanges[${String(index)}]`, range.trim())
  })
  if (spec.allocateLoadBalancerNodePorts !== undefined && !balanced) {
    errors.push(forbiddenField('spec.allocateLoadBalancerNodePorts', only))
  }
  if (spec.loadBalancerClass === undefined) return
  if (balanced) checkName(errors, 'spec.loadBalancerClass', spec.loadBalancerClass, isQualifiedName)
  else errors.push(forbiddenField('spec.loadBalancerClass', only))
}

function checkTraffic(errors: FieldError[], spec: ServiceSpec): void {
  const { externalTrafficPolicy, internalTrafficPolicy, trafficDistribution, healthCheckNodePort = 0 } = spec
  const scopes = ['Cluster', 'Local']
  if (isExternallyAccessible(spec)) checkOneOf(errors, 'spec.externalTrafficPolicy', externalTrafficPolicy, scopes)
  else if (externalTrafficPolicy) {
    errors.push(
      invalidValue(
        'spec.externalTrafficPolicy',
        externalTrafficPolicy,
        'may only be set for externally-accessible services',
      ),
    )
  }
  if (needsHealthCheckPort(spec)) {
    if (healthCheckNodePort === 0) errors.push(required('spec.healthCheckNodePort'))
    else checkPort(errors, 'spec.healthCheckNodePort', healthCheckNodePort)
  } else if (healthCheckNodePort !== 0) {
    const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
    errors.push(invalidValue('spec.healthCheckNodePort', healthCheckNodePort, detail))
  }
  if (internalTrafficPolicy !== undefined && !scopes.includes(internalTrafficPolicy)) {
    errors.push(notSupported('spec.internalTrafficPolicy', internalTrafficPolicy, scopes))
  }
  const distributions = ['PreferClose', 'PreferSameNode', 'PreferSameZone']
  if (trafficDistribution !== undefined && !distributions.includes(trafficDistribution)) {
    errors.push(notSupported('spec.trafficDistribution', trafficDistribution, distributions))
  }
}

export function checkServiceUpdate({ spec = {} }: Service, { spec: old = {} }: Service): FieldError[] {
  const errors: FieldError[] = []
  if (spec.type === 'LoadBalancer' && old.type === 'LoadBalancer' && spec.loadBalancerClass !== old.loadBalancerClass) {
    errors.push(invalidValue('spec.loadBalancerClass', spec.loadBalancerClass, 'may not change once set'))
  }
  if (needsHealthCheckPort(spec) && needsHealthCheckPort(old) && spec.healthCheckNodePort !== old.healthCheckNodePort) {
    errors.push(forbiddenField('spec.healthCheckNodePort', 'field is immutable'))
  }
  return [...errors, ...checkFamilyUpdate(spec, old)]
}

/** What a load balancer says of itself: addresses or names, only where one was asked for. */
export function checkServiceStatus({ spec = {}, status }: Service): FieldError[] {
  const errors: FieldError[] = []
  const path = 'status.loadBalancer.ingress'
  const ingress = status?.loadBalancer?.ingress ?? []
  if (spec.type !== 'LoadBalancer' && ingress.length > 0)
    errors.push(forbiddenField(path, 'may only be used when `spec.type` is "LoadBalancer"'))
  ingress.forEach(({ ip = '', hostname = '', ipMode }, index) => {
    const at = `${path}[${String(index)}]`
    if (ip !== '') checkAddress(errors, `${at}.ip`, ip)
    if (ip !== '' && ipMode === undefined) errors.push(required(`${at}.ipMode`, 'must be specified when `ip` is set'))
    if (ip === '' && ipMode !== undefined)
      errors.push(forbiddenField(`${at}.ipMode`, 'may not be specified when `ip` is not set'))
    if (ipMode !== undefined && ipMode !== 'VIP' && ipMode !== 'Proxy')
      errors.push(notSupported(`${at}.ipMode`, ipMode, ['Proxy', 'VIP']))
    if (hostname === '') return
    checkName(errors, `${at}.hostname`, hostname, isDnsSubdomain)
    if (isAddress(hostname))
      errors.push(invalidValue(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'))
  })
  return errors
}
