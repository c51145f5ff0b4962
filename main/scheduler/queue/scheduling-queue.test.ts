import { describe, expect, it } from 'vitest'
import type { FilterPlugin } from '../framework/plugin.ts'
import { createManualClock } from '../../../common/client/testing/manual-clock.ts'
import { testPod } from '../../controllers/testing/objects.ts'
import type { PodFacts } from '../state/pod-facts.ts'
import { podFacts } from '../state/pod-facts.ts'
import { backoffMs, SchedulingQueue } from './scheduling-queue.ts'

const facts = (name: string, priority = 0): PodFacts => {
  const pod = testPod(name, { priority })
  return podFacts({ ...pod, metadata: { ...pod.metadata, uid: name } })
}
const onImages: FilterPlugin = {
  name: 'OnImages',
  prepare: () => undefined,
  mayHelp: (change) => change.type === 'images-changed',
}

function setUp() {
  const clock = createManualClock()
  return { clock, queue: new SchedulingQueue(clock, [onImages]) }
}

describe('scheduling queue', () => {
  it('gives the most important first, then the oldest', () => {
    const { queue } = setUp()
    for (const pod of [facts('a'), facts('b', 10), facts('c'), facts('d', 10)]) queue.put(pod)
    expect([1, 2, 3, 4].map(() => queue.take()?.facts.uid)).toEqual(['b', 'd', 'a', 'c'])
    expect(queue.take()).toBeUndefined()
  })

  it('wakes an unschedulable pod only for a change that its plugin cares about, and not before its back-off', async () => {
    const { clock, queue } = setUp()
    queue.put(facts('a'))
    queue.take()
    queue.unschedulable('a', ['OnImages'])
    queue.onChange({ type: 'namespace-changed' })
    await clock.advance(2_000)
    expect(queue.active).toBe(0)
    queue.onChange({ type: 'images-changed' })
    expect(queue.take()?.attempts).toBe(2)
    queue.unschedulable('a', ['OnImages'])
    queue.onChange({ type: 'images-changed' })
    expect(queue.active).toBe(0)
    await clock.advance(2_000)
    expect(queue.take()?.attempts).toBe(3)
  })

  it('tries a forgotten pod again after five minutes', async () => {
    const { clock, queue } = setUp()
    queue.put(facts('a'))
    queue.take()
    queue.unschedulable('a', ['OnImages'])
    await clock.advance(299_000)
    expect(queue.active).toBe(0)
    await clock.advance(2_000)
    expect(queue.active).toBe(1)
  })

  it('forgets a pod that went away, wherever it was', () => {
    const { clock, queue } = setUp()
    queue.put(facts('a'))
    queue.remove('a')
    expect(queue.take()).toBeUndefined()
    queue.put(facts('b'))
    queue.take()
    queue.unschedulable('b', ['OnImages'])
    queue.remove('b')
    queue.onChange({ type: 'images-changed' })
    expect([queue.size, queue.active, clock.pending]).toEqual([0, 0, 0])
  })

  it('backs off longer each time', () => {
    expect([1, 2, 3, 4, 5, 9].map(backoffMs)).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
  })
})
