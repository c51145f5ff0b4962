import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { events, ipAddresses, services } from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import type { ManualClock } from '../../../common/client/testing/manual-clock.ts'
import { createManualClock } from '../../../common/client/testing/manual-clock.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { ipAddressOf } from '../../../common/networking/ip-address.ts'
import type { TestControllers } from '../testing/running-controllers.ts'
import { startTestControllers } from '../testing/running-controllers.ts'

let cluster: TestControllers
let clock: ManualClock
beforeEach(async () => {
  clock = createManualClock()
  cluster = await startTestControllers(['ipallocator-repair-controller'], clock)
})
afterEach(() => cluster.stop())

const told = async (): Promise<unknown[]> =>
  (await cluster.client.list(events)).items.map(({ reason, message }) => [reason, message])
const isGone = (name: string): Promise<boolean> =>
  cluster.client.get(ipAddresses, name).then(
    () => false,
    (error: unknown) => isReason(error, 'NotFound'),
  )

describe('addresses of Services', () => {
  it('come back when somebody deletes them', async () => {
    const service = await cluster.client.create(services, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { clusterIP: '10.96.7.7', ports: [{ port: 80 }] },
    })
    const { metadata } = await cluster.client.get(ipAddresses, '10.96.7.7')
    await cluster.client.delete(ipAddresses, '10.96.7.7')
    await eventually(async () => {
      const mended = await cluster.client.get(ipAddresses, '10.96.7.7')
      expect(mended.metadata.uid).not.toBe(metadata.uid)
      expect(mended.spec).toEqual(ipAddressOf(service, '10.96.7.7').spec)
      expect(await told()).toContainEqual([
        'ClusterIPNotAllocated',
        'Cluster IP [IPv4]: 10.96.7.7 is not allocated; repairing',
      ])
    })
    await cluster.client.delete(services, 'web', 'default')
    expect(await isGone('10.96.7.7')).toBe(true)
  })

  it('go when their Service is none, after a while; those of others stay', async () => {
    const nobody = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'nobody', namespace: 'default' } } as const
    await cluster.client.create(ipAddresses, ipAddressOf(nobody, '10.96.8.8'))
    const foreign = ipAddressOf(nobody, '192.0.2.1')
    await cluster.client.create(ipAddresses, { ...foreign, metadata: { name: '192.0.2.1' } })
    await eventually(async () => {
      await clock.advance(70_000)
      expect(await isGone('10.96.8.8')).toBe(true)
      expect(await told()).toContainEqual([
        'IPAddressNotAllocated',
        'IPAddress: 10.96.8.8 for Service default/nobody appears to have leaked: cleaning up',
      ])
    })
    expect(await isGone('192.0.2.1')).toBe(false)
  })
})
