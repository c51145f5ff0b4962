import { afterEach, beforeEach, expect, it } from 'vitest'
import type { NetworkingV1ServiceCIDR, Service } from '../../../common/api/generated/types.ts'
import { serviceCidrs, services } from '../../../common/client/resources.ts'
import type { ManualClock } from '../../../common/client/testing/manual-clock.ts'
import { createManualClock } from '../../../common/client/testing/manual-clock.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { TestControllers } from '../testing/running-controllers.ts'
import { startTestControllers } from '../testing/running-controllers.ts'

let cluster: TestControllers
let clock: ManualClock
beforeEach(async () => {
  clock = createManualClock()
  cluster = await startTestControllers(['service-cidr-controller'], clock)
})
afterEach(() => cluster.stop())

const extra: NetworkingV1ServiceCIDR = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'ServiceCIDR',
  metadata: { name: 'extra' },
  spec: { cidrs: ['10.200.0.0/24'] },
}
const service: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default' },
  spec: { clusterIP: '10.200.0.9', ports: [{ port: 80 }] },
}
const ready = async (name: string) =>
  (await cluster.client.get(serviceCidrs, name)).status?.conditions?.find(({ type }) => type === 'Ready')
const isReady = (name: string) =>
  eventually(async () => {
    expect(await ready(name)).toMatchObject({ status: 'True', message: 'Kubernetes Service CIDR is ready' })
    const { metadata } = await cluster.client.get(serviceCidrs, name)
    expect(metadata.finalizers).toEqual(['networking.k8s.io/service-cidr-finalizer'])
  })

it('the default range and others become ready', async () => {
  await isReady('kubernetes')
  await cluster.client.create(serviceCidrs, extra)
  await isReady('extra')
})

it('a range with addresses in use stays until they are given back, and then some', async () => {
  await cluster.client.create(serviceCidrs, extra)
  await isReady('extra')
  await cluster.client.create(services, service)
  await cluster.client.delete(serviceCidrs, 'extra')
  await eventually(async () => {
    expect(await ready('extra')).toMatchObject({ status: 'False', reason: 'Terminating' })
  })
  await cluster.client.delete(services, 'web', 'default')
  await eventually(async () => {
    await clock.advance(11_000)
    expect(await ready('extra').catch((error: unknown) => isReason(error, 'NotFound'))).toBe(true)
  })
})
