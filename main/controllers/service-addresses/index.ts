// Mends what people do to IPAddresses: one that a Service has comes back, one whose Service has gone goes as well. The API server
// writes both in one transaction; this is for what comes from outside.
import type { NetworkingV1IPAddress as IpAddress, Service } from '../../../common/api/generated/types.ts'
import { createController, keysOf, mapChanges, requeueAfter } from '../../../common/client/controller.ts'
import type { ReconcileResult } from '../../../common/client/controller.ts'
import { ipAddresses, services } from '../../../common/client/resources.ts'
import { addressToNumber, familyOf, numberToAddress } from '../../../common/machinery/addresses.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { allocator, clusterIpsOf, ipAddressOf, managedByLabel } from '../../../common/networking/ip-address.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { tolerate } from '../runtime/tolerate.ts'

/** A Service may be on its way whose address is there already. */
const graceMs = 60_000
const canonical = (address: string): string => numberToAddress(addressToNumber(address), familyOf(address))

export const newServiceAddressRepair: ControllerFactory = (deps) => {
  const name = 'ipallocator-repair-controller'
  const client = deps.client(name)
  const events = deps.events(name)
  const serviceInformer = deps.informers.of(services)
  const addressInformer = deps.informers.of(ipAddresses)

  /** Keys are those of Services, with a slash, and of addresses. */
  async function reconcile(key: string): Promise<ReconcileResult> {
    if (key.includes('/')) {
      await repairService(key)
      return
    }
    const address = addressInformer.get(key)
    if (address?.metadata.labels?.[managedByLabel] !== allocator) return
    return repairAddress(address, key)
  }

  async function repairService(key: string): Promise<void> {
    const known = serviceInformer.get(key)
    const isMissing = (address: string): boolean => addressInformer.get(address) === undefined
    if (known === undefined || !clusterIpsOf(known).map(canonical).some(isMissing)) return
    const service = await live(key)
    if (service === undefined || service.metadata.deletionTimestamp !== undefined) return
    for (const address of clusterIpsOf(service).map(canonical).filter(isMissing)) {
      await client.create(ipAddresses, ipAddressOf(service, address)).then(() => {
        const text = `Cluster IP [${familyOf(address)}]: ${address} is not allocated; repairing`
        events.event(service, 'Warning', 'ClusterIPNotAllocated', text)
      }, tolerate('AlreadyExists'))
    }
  }

  async function repairAddress(address: IpAddress, key: string): Promise<ReconcileResult> {
    const { namespace = '', name: serviceName = '' } = address.spec?.parentRef ?? {}
    const holds = (owner: Service | undefined): boolean =>
      owner !== undefined && clusterIpsOf(owner).map(canonical).includes(key)
    if (holds(serviceInformer.get(`${namespace}/${serviceName}`))) return
    const service = await live(`${namespace}/${serviceName}`)
    const subject = `IPAddress: ${key} for Service ${namespace}/${serviceName}`
    if (service === undefined) {
      const ageMs = deps.clock.now() - Date.parse(address.metadata.creationTimestamp ?? '')
      if (ageMs <= graceMs) return requeueAfter(graceMs - ageMs + 1_000)
      await remove(address, 'IPAddressNotAllocated', `${subject} appears to have leaked: cleaning up`)
    } else if (!holds(service))
      await remove(address, 'IPAddressWrongReference', `${subject} has a wrong reference; cleaning up`)
  }

  /** The two informers may be apart: nothing is mended that the server does not show. */
  function live(key: string): Promise<Service | undefined> {
    const [namespace = '', serviceName = ''] = key.split('/')
    return client.get(services, serviceName, namespace).catch(tolerate('NotFound'))
  }

  async function remove(address: IpAddress, reason: string, message: string): Promise<void> {
    const { name: addressName = '', uid, resourceVersion } = address.metadata
    events.event(address, 'Warning', reason, message)
    await client
      .delete(ipAddresses, addressName, undefined, { preconditions: { uid, resourceVersion } })
      .catch(tolerate('NotFound'))
  }

  return createController({
    name,
    workers: 1,
    sources: [
      keysOf(serviceInformer, (_service, old) => old === undefined),
      mapChanges(serviceInformer, (service, old, change) =>
        change === 'delete' || old !== undefined ? clusterIpsOf(old ?? service).map(canonical) : [],
      ),
      mapChanges(addressInformer, (address, _old, change) => {
        const { namespace = '', name: serviceName = '' } = address.spec?.parentRef ?? {}
        return change === 'delete' ? [`${namespace}/${serviceName}`] : [objectKey(address)]
      }),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}
