import { describe, expect, it } from 'vitest'
import { createManualClock } from './testing/manual-clock.ts'
import { WorkQueue } from './work-queue.ts'

describe('work queue', () => {
  it('holds a key once and in order', async () => {
    const queue = new WorkQueue({ clock: createManualClock() })
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key)
    expect(queue.length).toBe(3)
    expect([await queue.take(), await queue.take(), await queue.take()]).toEqual(['a', 'b', 'c'])
  })

  it('never gives a key to two workers, and gives it again when it changed meanwhile', async () => {
    const queue = new WorkQueue({ clock: createManualClock() })
    queue.add('a')
    expect(await queue.take()).toBe('a')
    queue.add('a')
    expect(queue.length).toBe(0)
    queue.done('a')
    expect(await queue.take()).toBe('a')
    queue.done('a')
    expect(queue.length).toBe(0)
  })

  it('wakes a waiting worker', async () => {
    const queue = new WorkQueue({ clock: createManualClock() })
    const waiting = queue.take()
    queue.add('late')
    expect(await waiting).toBe('late')
  })

  it('delays, keeping the earliest time of a key', async () => {
    const clock = createManualClock()
    const queue = new WorkQueue({ clock })
    queue.addAfter('a', 500)
    queue.addAfter('a', 100)
    queue.addAfter('a', 900)
    await clock.advance(99)
    expect(queue.length).toBe(0)
    await clock.advance(1)
    expect(queue.length).toBe(1)
    await clock.advance(2_000)
    expect(queue.length).toBe(1)
  })

  it('doubles the back-off of a failing key up to the limit, and forgets', () => {
    const queue = new WorkQueue({ clock: createManualClock(), baseDelayMs: 5, maxDelayMs: 35 })
    expect([1, 2, 3, 4, 5].map(() => queue.addRateLimited('a'))).toEqual([5, 10, 20, 35, 35])
    expect(queue.addRateLimited('b')).toBe(5)
    queue.forget('a')
    expect(queue.addRateLimited('a')).toBe(5)
  })

  it('ends its takers when stopped', async () => {
    const clock = createManualClock()
    const queue = new WorkQueue({ clock })
    const waiting = queue.take()
    queue.addAfter('a', 10)
    queue.stop()
    expect(await waiting).toBeUndefined()
    expect(clock.pending).toBe(0)
  })

  it('stays in order over many keys', async () => {
    const queue = new WorkQueue({ clock: createManualClock() })
    const keys = Array.from({ length: 5_000 }, (_, i) => `k${String(i)}`)
    for (const key of keys) queue.add(key)
    const taken: (string | undefined)[] = []
    for (let i = 0; i < keys.length; i++) taken.push(await queue.take())
    expect(taken).toEqual(keys)
  })
})
