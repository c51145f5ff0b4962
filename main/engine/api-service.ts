// The Service default/kubernetes and where it leads. The API server listens on loopback, which no pod can reach and no Endpoints may name;
// pods reach it at the service's own address, which every node's agent answers and carries to the engine. So that address is the
// endpoint. Kept as it is as long as the engine runs, whoever changes it, and whichever controllers run.
import { isIPv6 } from 'node:net'
import type { EndpointSlice, Endpoints, Service } from '../../common/api/generated/types.ts'
import type { Controller, KeySource } from '../../common/client/controller.ts'
import { createController, mapChanges } from '../../common/client/controller.ts'
import type { KubeClient, ResourceRef } from '../../common/client/client.ts'
import { endpointSlices, endpoints, services } from '../../common/client/resources.ts'
import type { SharedInformers } from '../../common/client/shared-informers.ts'
import type { Clock } from '../../common/machinery/clock.ts'
import { jsonEqual } from '../../common/machinery/json.ts'
import type { Logger } from '../../common/machinery/logger.ts'
import type { KubeObject } from '../../common/machinery/meta.ts'
import { isReason } from '../../common/machinery/status.ts'

const name = 'kubernetes'
const namespace = 'default'
const key = `${namespace}/${name}`
const port = { name: 'https', port: 443, protocol: 'TCP' }

const apiService = (address: string): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace, labels: { component: 'apiserver', provider: 'kubernetes' } },
  spec: { type: 'ClusterIP', clusterIP: address, ports: [{ ...port, targetPort: port.port }] },
})

const apiEndpoints = (address: string): Endpoints => ({
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { name, namespace, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
  subsets: [{ addresses: [{ ip: address }], ports: [port] }],
})

const apiSlice = (address: string): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
  addressType: isIPv6(address) ? 'IPv6' : 'IPv4',
  endpoints: [{ addresses: [address], conditions: { ready: true } }],
  ports: [port],
})

export interface ApiServiceOptions {
  client: KubeClient
  informers: SharedInformers
  /** ClusterIP of the service. */
  address: string
  clock: Clock
  logger: Logger
}

/** Not started yet. */
export function newApiServiceReconciler(options: ApiServiceOptions): Controller {
  const { client, informers, address, clock, logger } = options
  const serviceInformer = informers.of(services)
  const endpointsInformer = informers.of(endpoints)
  const sliceInformer = informers.of(endpointSlices)

  /** Creates the object or puts what the engine decides about it back. */
  async function keep<T extends KubeObject>(
    ref: ResourceRef<T>,
    wanted: T,
    present: T | undefined,
    isRight: (present: T) => boolean,
  ): Promise<void> {
    if (present === undefined) {
      await client.create(ref, wanted).catch((error: unknown) => {
        if (!isReason(error, 'AlreadyExists')) throw error
      })
    } else if (!isRight(present))
      await client.update(ref, {
        ...present,
        ...wanted,
        metadata: { ...present.metadata, labels: { ...present.metadata.labels, ...wanted.metadata.labels } },
      })
  }

  return createController({
    name: 'kubernetes-service',
    workers: 1,
    sources: [
      alwaysOnce,
      mapChanges(serviceInformer, keysOfOurs),
      mapChanges(endpointsInformer, keysOfOurs),
      mapChanges(sliceInformer, keysOfOurs),
    ],
    async reconcile() {
      // Its address and ports are the user's to break; that it exists is not.
      await keep(services, apiService(address), serviceInformer.get(key), () => true)
      const wantedEndpoints = apiEndpoints(address)
      await keep(endpoints, wantedEndpoints, endpointsInformer.get(key), (present) =>
        jsonEqual(present.subsets, wantedEndpoints.subsets),
      )
      const wantedSlice = apiSlice(address)
      await keep(
        endpointSlices,
        wantedSlice,
        sliceInformer.get(key),
        (present) =>
          jsonEqual(present.endpoints, wantedSlice.endpoints) &&
          jsonEqual(present.ports, wantedSlice.ports) &&
          present.metadata.labels?.['kubernetes.io/service-name'] === name,
      )
    },
    clock,
    logger,
  })
}

/** What is missing makes no event. */
const alwaysOnce: KeySource = {
  synced: Promise.resolve(),
  attach(enqueue) {
    enqueue(key)
    return () => undefined
  },
}

const keysOfOurs = ({ metadata }: KubeObject): string[] =>
  metadata.name === name && metadata.namespace === namespace ? [key] : []
