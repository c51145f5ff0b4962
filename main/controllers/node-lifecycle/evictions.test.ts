import { describe, expect, it } from 'vitest'
import type { Node } from '../../../common/api/generated/types.ts'
import { defaultSettings } from '../runtime/settings.ts'
import { Evictions, rateOf, stateOfZone } from './evictions.ts'

const rates = defaultSettings.evictions
const nodes = (ready: number, lost: number, zone = 'a'): Node[] =>
  Array.from({ length: ready + lost }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: `${zone}-${String(index)}`, labels: { 'topology.kubernetes.io/zone': zone } },
    status: { conditions: [{ type: 'Ready', status: index < ready ? 'True' : 'Unknown' }] },
  }))

describe('a zone', () => {
  it.each([
    [3, 0, 'Normal', 0.1],
    [1, 2, 'Normal', 0.1],
    [2, 3, 'PartialDisruption', 0],
    [4, 4, 'Normal', 0.1],
    [20, 40, 'PartialDisruption', 0.01],
    [0, 2, 'FullDisruption', 0.1],
  ])('with %i nodes ready and %i lost is %s', (ready, lost, state, rate) => {
    expect(stateOfZone(nodes(ready, lost), rates)).toBe(state)
    expect(rateOf(stateOfZone(nodes(ready, lost), rates), ready + lost, rates)).toBe(rate)
  })
})

describe('evictions', () => {
  const lostOf = (all: readonly Node[]): Node => all.at(-1) ?? { apiVersion: 'v1', kind: 'Node', metadata: {} }

  it('come one by one in each zone', () => {
    const [a, b] = [nodes(5, 2), nodes(5, 2, 'b')]
    const evictions = new Evictions(rates)
    expect(evictions.decide(lostOf(a), [...a, ...b], 0)).toBe('evict')
    expect(evictions.decide(lostOf(a), [...a, ...b], 4_000)).toEqual({ afterMs: 6_000 })
    expect(evictions.decide(lostOf(b), [...a, ...b], 4_000)).toBe('evict')
    expect(evictions.decide(lostOf(a), [...a, ...b], 10_000)).toBe('evict')
  })

  it('stop where too many are lost, and are taken back where all are', () => {
    const some = nodes(2, 3)
    const none = nodes(0, 3)
    expect(new Evictions(rates).decide(lostOf(some), some, 0)).toEqual({ afterMs: Infinity })
    expect(new Evictions(rates).decide(lostOf(none), none, 0)).toBe('spare')
    const elsewhere = nodes(1, 0, 'b')
    expect(new Evictions(rates).decide(lostOf(none), [...none, ...elsewhere], 0)).toBe('evict')
  })
})
