// Service: one stable address and name for a changing set of pods.
import type { Service } from '../../../../common/api/generated/types.ts'
import { defineKind } from '../../kind.ts'
import { dropStatus, dropUndefined, restore, statusDoor } from '../../strategy.ts'
import { allocate, checkAllocation, serviceAddresses } from './allocation.ts'
import { serviceColumns } from './columns.ts'
import { setServiceDefaults } from './defaults.ts'
import { serviceWarnings } from './warnings.ts'
import { checkService, checkServiceStatus, checkServiceUpdate } from './validation.ts'

export const service = defineKind('v1/services', {
  returnsDeletedObject: true,
  shortNames: ['svc'],
  categories: ['all'],
  nameRule: 'dns-label-1035',
  tracksGeneration: false,
  serializeWrites: true,
  companions: serviceAddresses,
  prepareForCreate: dropStatus,
  setDefaults: (object, context) => {
    setServiceDefaults(object)
    allocate(object, context)
  },
  validate: (object, context) => {
    const errors = checkService(object)
    if (context.subresource === '') checkAllocation(errors, object, context)
    return errors
  },
  update: {
    prepare: (object, old) => {
      restore(object, old, 'status')
      keepAllocated(object, old)
    },
    validate: checkServiceUpdate,
  },
  status: statusDoor({ validate: checkServiceStatus }),
  warnings: serviceWarnings,
  selectableFields: ({ spec }) => ({ 'spec.clusterIP': spec?.clusterIP ?? '', 'spec.type': spec?.type ?? '' }),
  columns: serviceColumns,
})

/** What the client left out but the Service already has (a PUT of the manifest it was created from), and what it no longer needs. */
function keepAllocated(object: Service, old: Service): void {
  object.spec ??= {}
  const { spec } = object
  const before = old.spec ?? {}
  const type = spec.type || 'ClusterIP'
  if (type === 'ExternalName') {
    if (before.type !== 'ExternalName') {
      // Changing to an alias gives the address back, when the client did not touch it.
      if (spec.clusterIP === before.clusterIP) spec.clusterIP = undefined
      if (spec.clusterIPs?.[0] === before.clusterIPs?.[0]) spec.clusterIPs = undefined
      if (spec.ipFamilies?.[0] === before.ipFamilies?.[0]) spec.ipFamilies = undefined
      if (spec.ipFamilyPolicy === before.ipFamilyPolicy) spec.ipFamilyPolicy = undefined
    }
  } else if (before.type !== 'ExternalName') {
    if (!spec.clusterIP && (spec.clusterIPs ?? []).length === 0) {
      spec.clusterIP = before.clusterIP
      spec.clusterIPs = before.clusterIPs === undefined ? undefined : [...before.clusterIPs]
    }
    spec.ipFamilies ??= before.ipFamilies === undefined ? undefined : [...before.ipFamilies]
    spec.ipFamilyPolicy ??= before.ipFamilyPolicy
  }
  const keepsPorts = type === 'NodePort' || type === 'LoadBalancer'
  for (const port of spec.ports ?? []) {
    const same = before.ports?.find(
      (candidate) => candidate.port === port.port && (candidate.protocol || 'TCP') === (port.protocol || 'TCP'),
    )
    if (same?.nodePort === undefined) continue
    if (keepsPorts) port.nodePort ||= same.nodePort
    else if (before.type !== type && port.nodePort === same.nodePort) delete port.nodePort
  }
  if (before.healthCheckNodePort !== undefined && type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local') {
    spec.healthCheckNodePort ||= before.healthCheckNodePort
  } else if (spec.healthCheckNodePort === before.healthCheckNodePort && before.type !== type) {
    delete spec.healthCheckNodePort
  }
  if (type !== 'LoadBalancer' && before.type === 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === before.allocateLoadBalancerNodePorts)
      delete spec.allocateLoadBalancerNodePorts
    if (spec.loadBalancerClass === before.loadBalancerClass) delete spec.loadBalancerClass
  }
  if (
    type === 'ClusterIP' &&
    before.type !== type &&
    (spec.externalIPs ?? []).length === 0 &&
    spec.externalTrafficPolicy === before.externalTrafficPolicy
  ) {
    delete spec.externalTrafficPolicy
  }
  dropUndefined(spec)
}
