// The default ServiceCIDR, and IPAddresses for Services of a store that knew none yet.
import type { NetworkingV1ServiceCIDR as ServiceCidr, Service } from '../../../common/api/generated/types.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { serviceAddresses } from '../../kinds/core/service/cluster-ips.ts'
import { sameElements } from '../../kinds/validation/collections.ts'
import { lookupAll, readStored, type Registry } from '../registry/context.ts'
import { fillSystemFields } from '../registry/metadata.ts'
import { keyOf } from '../registry/served-resource.ts'
import { encodeForStore } from '../registry/stored-object.ts'
import { updateObject } from '../registry/update.ts'

const name = 'kubernetes'
const user = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }

/**
 * The ranges this control plane was started with, ready from the beginning. Where the store has the first one only, the second is
 * added; where it has others, they stay as they are.
 */
export async function ensureServiceCidr(
  registry: Registry,
  ensure: (object: KubeObject & ServiceCidr) => Promise<void>,
): Promise<void> {
  const resource = registry.resources.find('networking.k8s.io', 'v1', 'servicecidrs')
  if (resource === undefined) return
  const cidrs = [...registry.cluster.serviceCIDRs]
  await ensure({ apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name }, spec: { cidrs } })
  const stored = (): ServiceCidr | undefined =>
    readStored(registry, resource, undefined, name)?.object as ServiceCidr | undefined
  const write = async (subresource: '' | 'status', change: (object: ServiceCidr) => void): Promise<void> => {
    await updateObject(registry, resource, {
      namespace: '',
      name,
      subresource,
      strategy: subresource === '' ? resource.kind.update : resource.kind.status,
      change: (current) => {
        const object = current.copy() as KubeObject & ServiceCidr
        change(object)
        return object
      },
      request: { user, dryRun: false, fieldManager: 'orrery', warn: () => undefined },
    })
  }
  const before = stored()?.spec?.cidrs ?? []
  if (before.length === 1 && cidrs.length === 2 && before[0] === cidrs[0])
    await write('', (object) => {
      object.spec = { cidrs }
    })
  const now = stored()
  if (!sameElements(now?.spec?.cidrs, cidrs) || now?.status?.conditions?.some(({ type }) => type === 'Ready') === true)
    return
  await write('status', (object) => {
    const lastTransitionTime = formatTime(registry.clock.now())
    const message = 'Kubernetes default Service CIDR is ready'
    object.status = { conditions: [{ type: 'Ready', status: 'True', reason: '', message, lastTransitionTime }] }
  })
}

/** Every address in use has its IPAddress; those of earlier versions had none. */
export async function ensureAddresses(registry: Registry): Promise<void> {
  const resource = registry.resources.find('networking.k8s.io', 'v1', 'ipaddresses')
  if (resource === undefined) return
  const now = formatTime(registry.clock.now())
  const missing = lookupAll(registry, '', 'services')
    .flatMap(({ object }) => serviceAddresses(object as KubeObject & Service, undefined).create)
    .map(({ object }) => ({ object, key: keyOf(resource, undefined, object.metadata.name ?? '') }))
    .filter(({ key }) => registry.store.get(key) === undefined)
  await Promise.all(
    missing.map(({ object, key }) => {
      fillSystemFields(object.metadata, now)
      return registry.store.txn([{ key, modRevision: 0 }], [{ put: key, value: encodeForStore(object) }])
    }),
  )
}
