// Small plugins that change or restrict pods and that a cluster turns on when it wants them.
import type { Binding, Container, Pod } from '../../../common/api/generated/types.ts'
import { lookup } from '../registry/context.ts'
import { type AdmissionPlugin, concernsCore, isCreate } from './admission.ts'

const containersOf = ({ spec }: Pod): Container[] => [
  ...(spec?.initContainers ?? []),
  ...(spec?.containers ?? []),
  ...((spec?.ephemeralContainers ?? []) as Container[]),
]

/** AlwaysPullImages: nobody uses a private image that somebody else has pulled. */
export const alwaysPullImages: AdmissionPlugin = {
  name: 'AlwaysPullImages',
  concerns: concernsCore('pods'),
  mutate({ object, operation, subresource }) {
    if (operation === 'DELETE' || (subresource !== '' && subresource !== 'ephemeralcontainers')) return false
    let changed = false
    for (const container of containersOf(object as Pod)) {
      if (container.imagePullPolicy === 'Always') continue
      container.imagePullPolicy = 'Always'
      changed = true
    }
    return changed
  },
}

/** ExtendedResourceToleration: who asks for a device tolerates the taint that keeps others away from it. */
export const extendedResourceToleration: AdmissionPlugin = {
  name: 'ExtendedResourceToleration',
  concerns: concernsCore('pods'),
  mutate(attributes) {
    const { spec } = (attributes.object ?? {}) as Pod
    if (!isCreate(attributes) || spec === undefined) return false
    const asked = [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources }) =>
      Object.keys(resources?.requests ?? {}),
    )
    const extended = [...new Set(asked)]
      .filter((name) => name.includes('/') && !/(^|\.)kubernetes\.io\//.test(name))
      .sort()
    const tolerations = spec.tolerations ?? []
    const missing = extended.filter(
      (key) => !tolerations.some((one) => one.key === key && one.operator === 'Exists' && one.effect === undefined),
    )
    if (missing.length === 0) return false
    spec.tolerations = [...tolerations, ...missing.map((key) => ({ key, operator: 'Exists' }))]
    return true
  },
}

const topologyLabels = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']

/** PodTopologyLabels: a pod that is bound learns the zone and region of its node. */
export const podTopologyLabels: AdmissionPlugin = {
  name: 'PodTopologyLabels',
  concerns: concernsCore('pods', 'bindings'),
  mutate({ operation, resourceName, subresource, object, registry }) {
    const door = resourceName.resource === 'pods' ? 'binding' : ''
    if (operation !== 'CREATE' || subresource !== door) return false
    const binding = object as Binding
    const node = lookup(registry, '', 'nodes', undefined, binding.target.name ?? '')?.object
    const labels = topologyLabels.flatMap((key) => {
      const value = node?.metadata.labels?.[key]
      return value === undefined ? [] : [[key, value] as const]
    })
    if (labels.length === 0) return false
    // Labels somebody else gave keep their values.
    binding.metadata = {
      ...binding.metadata,
      labels: { ...Object.fromEntries(labels), ...binding.metadata?.labels },
    }
    return true
  },
}
