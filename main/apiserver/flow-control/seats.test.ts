import { expect, it } from 'vitest'
import type { PriorityLevelConfigurationSpec } from '../../../common/api/generated/types.ts'
import { flowControlObjects } from './bootstrap-objects.ts'
import { allocate, limitsOf } from './seats.ts'

const specs = new Map(
  flowControlObjects()
    .filter(({ plural }) => plural === 'prioritylevelconfigurations')
    .map(({ object }) => [
      object.metadata.name ?? '',
      (object as unknown as { spec: PriorityLevelConfigurationSpec }).spec,
    ]),
)

it('divides 600 seats as kube-apiserver does', () => {
  expect(Object.fromEntries(limitsOf(specs, 600))).toEqual({
    exempt: { nominal: 0, lower: 0, upper: 600 },
    'catch-all': { nominal: 13, lower: 13, upper: 600 },
    system: { nominal: 74, lower: 50, upper: 600 },
    'node-high': { nominal: 98, lower: 73, upper: 600 },
    'leader-election': { nominal: 25, lower: 25, upper: 600 },
    'workload-high': { nominal: 98, lower: 49, upper: 600 },
    'workload-low': { nominal: 245, lower: 24, upper: 600 },
    'global-default': { nominal: 49, lower: 24, upper: 600 },
  })
})

it('takes the limit of borrowing for what it says, and no shares for none', () => {
  const limited = { nominalConcurrencyShares: 1, borrowingLimitPercent: 0 }
  const limits = limitsOf(new Map([['a', { type: 'Limited', limited }]]), 10)
  expect(limits.get('a')).toEqual({ nominal: 10, lower: 10, upper: 10 })
  const none = limitsOf(new Map([['a', { type: 'Limited', limited: { nominalConcurrencyShares: 0 } }]]), 10)
  expect(none.get('a')?.nominal).toBe(0)
})

it('lends what is not wanted and takes nothing from who needs theirs', () => {
  const idle = { limits: { nominal: 50, lower: 10, upper: 100 }, highest: 0, smoothed: 0 }
  const busy = { limits: { nominal: 30, lower: 30, upper: 100 }, highest: 80, smoothed: 80 }
  const steady = { limits: { nominal: 20, lower: 5, upper: 100 }, highest: 20, smoothed: 20 }
  const { seats } = allocate([idle, busy, steady], 100)
  expect(seats[0]).toBeGreaterThanOrEqual(10)
  expect(seats[1]).toBeGreaterThan(60)
  expect(seats[2]).toBeGreaterThanOrEqual(20)
  expect(seats.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(101)
})
