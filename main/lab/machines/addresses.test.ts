import fc from 'fast-check'
import { expect, test } from 'vitest'
import { freeIndex, identityOf, maxMachines } from './addresses.ts'

const ranges = { lanCIDR: '10.77.0.0/16', clusterCIDR: '10.244.0.0/16' }

test('the first machine', () => {
  expect(identityOf(1, ranges)).toEqual({
    index: 1,
    lanAddress: '10.77.0.11',
    podCIDR: '10.244.1.0/24',
    macs: { control: '52:54:00:43:00:01', lan: '52:54:00:4c:00:01' },
  })
})

test('the last machine is still inside its ranges', () => {
  expect(identityOf(maxMachines, ranges)).toMatchObject({ lanAddress: '10.77.1.8', podCIDR: '10.244.254.0/24' })
})

test('no two machines share anything', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: maxMachines }), { minLength: 2 }), (indexes) => {
      const identities = indexes.map((index) => identityOf(index, ranges))
      for (const field of ['lanAddress', 'podCIDR'] as const)
        expect(new Set(identities.map((identity) => identity[field])).size).toBe(indexes.length)
      expect(new Set(identities.flatMap(({ macs }) => [macs.control, macs.lan])).size).toBe(2 * indexes.length)
    }),
  )
})

test('the smallest free index is taken; a full lab has none', () => {
  expect(freeIndex([])).toBe(1)
  expect(freeIndex([1, 2, 4])).toBe(3)
  expect(freeIndex(Array.from({ length: maxMachines }, (_, i) => i + 1))).toBeUndefined()
})
