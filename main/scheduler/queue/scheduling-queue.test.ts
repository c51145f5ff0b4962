import { describe, expect, it } from 'vitest'
import { defaultConfiguration } from '../configuration/profile.ts'
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
  return { clock, queue: new SchedulingQueue(clock, [onImages], defaultConfiguration.backoff) }
}

describe('scheduling queue', () => {
  it('gives the most important first, then the oldest', () => {
    const { queue } = setUp()
    for (const pod of [facts('a'), facts('b', 10), facts('c'), facts('d', 10)]) queue.put(pod)
    expect([1, 2, 3, 4].map(() => queue.take()?.facts.uid)).toEqual(['b', 'd', 'a', 'c'])
    expect(queue.take()).toBeUndefined()
  })

  it('wakes an unschedulable pod only for a change that its plugin cares about', async () => {
    const { clock, queue } = setUp()
    queue.put(facts('a'))
    queue.take()
    queue.unschedulable('a', ['OnImages'])
    queue.onChange({ type: 'namespace-changed' })
    await clock.advance(2_000)
    expect(queue.active).toBe(0)
    queue.onChange({ type: 'images-changed' })
    expect(queue.take()?.attempts).toBe(2)
  })

  it('does not wait for the end of a back-off when there is nothing else to do, unless very many wait for it', async () => {
    const { clock, queue } = setUp()
    const fail = (name: string): void => {
      queue.put(facts(name))
      queue.take()
      queue.unschedulable(name, ['OnImages'])
    }
    fail('a')
    fail('b')
    queue.put(facts('c'))
    queue.onChange({ type: 'images-changed' })
    expect([1, 2, 3].map(() => queue.take()?.facts.uid)).toEqual(['c', 'a', 'b'])
    queue.retry('c')
    expect(queue.take()).toBeUndefined()
    for (let i = 0; i < 101; i++) fail(`many-${String(i)}`)
    queue.onChange({ type: 'images-changed' })
    expect([queue.active, queue.take()]).toEqual([0, undefined])
    await clock.advance(1_000)
    expect(queue.take()?.facts.uid).toBe('c')
    expect(queue.active).toBe(101)
  })

  it('leaves a pod alone as long as something that it names is still to come', () => {
    let isThere = false
    const onImagesToCome: FilterPlugin = { ...onImages, isWaiting: () => !isThere }
    const queue = new SchedulingQueue(createManualClock(), [onImagesToCome], defaultConfiguration.backoff)
    queue.put(facts('a'))
    queue.onChange({ type: 'images-changed' })
    expect(queue.take()).toBeUndefined()
    isThere = true
    queue.onChange({ type: 'images-changed' })
    expect(queue.take()?.attempts).toBe(1)
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
    const { backoff } = defaultConfiguration
    expect([1, 2, 3, 4, 5, 9].map((attempts) => backoffMs(attempts, backoff))).toEqual([
      1_000, 2_000, 4_000, 8_000, 10_000, 10_000,
    ])
  })
})
