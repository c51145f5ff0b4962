import { afterEach, describe, expect, it } from 'vitest'
import { events, nodes } from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import { addNode, testNode } from '../testing/objects.ts'
import type { TestControllers } from '../testing/running-controllers.ts'
import { startTestControllers } from '../testing/running-controllers.ts'
import { RangeRing } from './pod-ranges.ts'

let cluster: TestControllers | undefined
afterEach(() => cluster?.stop())

const rangesOf = async (name: string): Promise<unknown> => {
  const { spec } = await (cluster as TestControllers).client.get(nodes, name)
  return [spec?.podCIDR, spec?.podCIDRs]
}

describe('ranges of pods', () => {
  it('are given out in a ring, without those in use', () => {
    const taken = new Set<string>()
    const ring = new RangeRing('10.244.0.0/22', 24, ['10.244.1.0/24'])
    const take = (): string | undefined => {
      const cidr = ring.take((candidate) => taken.has(candidate))
      if (cidr !== undefined) taken.add(cidr)
      return cidr
    }
    expect([take(), take(), take(), take()]).toEqual(['10.244.0.0/24', '10.244.2.0/24', '10.244.3.0/24', undefined])
    taken.delete('10.244.2.0/24')
    expect(take()).toBe('10.244.2.0/24')
  })

  it('come to nodes that have none, one of each family, until there are no more', async () => {
    cluster = await startTestControllers(['node-ipam-controller'], undefined, {
      podRanges: {
        clusterCidrs: ['10.244.0.0/23', 'fd00:10:244::/63'],
        maskSizes: { IPv4: 24, IPv6: 64 },
        reserved: [],
      },
    })
    const { client } = cluster
    await addNode(client, testNode('own', { spec: { podCIDR: '10.244.0.0/24', podCIDRs: ['10.244.0.0/24'] } }))
    await addNode(client, testNode('first'))
    await eventually(async () => {
      expect(await rangesOf('first')).toEqual(['10.244.1.0/24', ['10.244.1.0/24', 'fd00:10:244::/64']])
    })
    await addNode(client, testNode('second'))
    await eventually(async () => {
      expect((await client.list(events, { namespace: 'default' })).items).toContainEqual(
        expect.objectContaining({ reason: 'CIDRNotAvailable', message: 'Node second status is now: CIDRNotAvailable' }),
      )
    })
    expect(await rangesOf('second')).toEqual([undefined, undefined])
    expect(await rangesOf('own')).toEqual(['10.244.0.0/24', ['10.244.0.0/24']])
  })
})
