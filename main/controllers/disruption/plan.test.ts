import { describe, expect, it } from 'vitest'
import type { Pod, PodDisruptionBudget } from '../../../common/api/generated/types.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import { planDisruption, planFailure, staleDisruptionMs } from './plan.ts'

const now = Date.UTC(2026, 0, 1)

const budget = (
  spec: NonNullable<PodDisruptionBudget['spec']>,
  status: NonNullable<PodDisruptionBudget['status']> = {},
): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'b', namespace: 'default', generation: 3 },
  spec,
  status,
})
const pod = (name: string, ready = true, deletionTimestamp?: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
  status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
})
const three = [pod('a'), pod('b'), pod('c')]

describe('what a budget allows', () => {
  it.each([
    [{ minAvailable: 2 }, three, 0, { expectedPods: 3, desiredHealthy: 2, currentHealthy: 3, disruptionsAllowed: 1 }],
    [{ minAvailable: 5 }, three, 0, { expectedPods: 3, desiredHealthy: 5, currentHealthy: 3, disruptionsAllowed: 0 }],
    [{ minAvailable: '50%' }, three, 3, { expectedPods: 3, desiredHealthy: 2, disruptionsAllowed: 1 }],
    [{ maxUnavailable: 1 }, three, 3, { expectedPods: 3, desiredHealthy: 2, disruptionsAllowed: 1 }],
    [{ maxUnavailable: '34%' }, three, 3, { expectedPods: 3, desiredHealthy: 1, disruptionsAllowed: 2 }],
    [{ maxUnavailable: 5 }, three, 3, { desiredHealthy: 0, disruptionsAllowed: 3 }],
    // Being scaled up: the missing two count as unavailable.
    [{ maxUnavailable: 1 }, three, 5, { expectedPods: 5, desiredHealthy: 4, disruptionsAllowed: 0 }],
    [{ maxUnavailable: 1 }, [], 0, { expectedPods: 0, disruptionsAllowed: 0 }],
    [{}, three, 0, { expectedPods: 0, disruptionsAllowed: 0 }],
    [
      { minAvailable: 1 },
      [pod('a'), pod('b', false), pod('c', true, formatTime(now))],
      0,
      { currentHealthy: 1, disruptionsAllowed: 0 },
    ],
  ])('%o', (spec, pods, scale, expected) => {
    const { status } = planDisruption(budget(spec), pods, scale, now)
    expect(status).toMatchObject({ ...expected, observedGeneration: 3 })
    const allowed = (status.disruptionsAllowed ?? 0) > 0
    expect(status.conditions).toMatchObject([
      { type: 'DisruptionAllowed', status: allowed ? 'True' : 'False', observedGeneration: 3 },
    ])
  })

  it('counts granted evictions as gone until they are overdue', () => {
    const disruptedPods = { a: formatTime(now - 30_000), b: formatTime(now - 150_000), gone: formatTime(now) }
    const plan = planDisruption(budget({ minAvailable: 1 }, { disruptedPods }), three, 0, now)
    expect(plan.status).toMatchObject({ currentHealthy: 2, disruptedPods: { a: disruptedPods.a } })
    expect(Object.keys(plan.status.disruptedPods ?? {})).toEqual(['a'])
    expect(plan.overdue.map(({ metadata }) => metadata.name)).toEqual(['b'])
    expect(plan.recheckMs).toBe(90_000)
  })

  it('allows nothing when the owners cannot be found', () => {
    const status = planFailure(
      budget({ maxUnavailable: 1 }, { disruptionsAllowed: 2, observedGeneration: 2 }),
      'why',
      now,
    )
    expect(status).toMatchObject({
      disruptionsAllowed: 0,
      observedGeneration: 2,
      conditions: [{ status: 'False', reason: 'SyncFailed', message: 'why', observedGeneration: 2 }],
    })
  })
})

it('takes back the mark of a disruption that did not come within two minutes', () => {
  const marked = pod('a')
  marked.status?.conditions?.push({ type: 'DisruptionTarget', status: 'True', lastTransitionTime: formatTime(now) })
  expect(staleDisruptionMs(marked, now + 20_000)).toBe(100_000)
  expect(staleDisruptionMs(marked, now + 500_000)).toBe(0)
  expect(staleDisruptionMs(pod('b'), now)).toBeUndefined()
  marked.metadata.deletionTimestamp = formatTime(now)
  expect(staleDisruptionMs(marked, now + 500_000)).toBeUndefined()
})
