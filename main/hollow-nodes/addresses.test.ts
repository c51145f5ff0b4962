import { expect, it } from 'vitest'
import type { Node } from '../../common/api/generated/types.ts'
import { AddressPlan, PodAddresses } from './addresses.ts'

const node = (podCIDR: string, address: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n' },
  spec: { podCIDR, podCIDRs: [podCIDR] },
  status: { addresses: [{ type: 'InternalIP', address }] },
})

it('gives each node a block and an address that nobody has', () => {
  const plan = new AddressPlan([node('10.128.0.0/24', '10.192.0.2')], 110)
  expect(plan.take()).toEqual({ podCIDR: '10.128.1.0/24', address: '10.192.0.1' })
  expect(plan.take()).toEqual({ podCIDR: '10.128.2.0/24', address: '10.192.0.3' })
  expect(new AddressPlan([], 1000).take().podCIDR).toBe('10.128.0.0/22')
})

it('keeps a pod at its address, hands none out twice, and says when there is none left', () => {
  const addresses = new PodAddresses('10.128.3.0/30')
  expect(addresses.of('kept', '10.128.3.2')).toBe('10.128.3.2')
  expect(addresses.of('new')).toBe('10.128.3.1')
  expect(addresses.of('new')).toBe('10.128.3.1')
  expect(addresses.of('late')).toBeUndefined()
  addresses.release('kept')
  expect(addresses.of('late')).toBe('10.128.3.2')
})
