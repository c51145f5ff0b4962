import { expect, it } from 'vitest'
import type { Clock } from '../../common/machinery/clock.ts'
import { silentLogger } from '../../common/machinery/logger.ts'
import { startCompactor } from './compactor.ts'
import { createMemoryStore } from './memory/index.ts'
import { put } from './store-contract.ts'

/** Time that moves when told; `tick` runs what is due and lets it finish. */
class ManualClock implements Clock {
  #now = 0
  #due: { at: number; callback: () => void }[] = []

  get waiting(): number {
    return this.#due.length
  }

  now(): number {
    return this.#now
  }

  after(ms: number, callback: () => void): () => void {
    const entry = { at: this.#now + ms, callback }
    this.#due.push(entry)
    return () => {
      this.#due = this.#due.filter((other) => other !== entry)
    }
  }

  async tick(ms: number): Promise<void> {
    this.#now += ms
    const ready = this.#due.filter(({ at }) => at <= this.#now)
    this.#due = this.#due.filter(({ at }) => at > this.#now)
    for (const { callback } of ready) callback()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

it('forgets history by age, counted from when a revision was first seen to be old', async () => {
  const store = createMemoryStore()
  const clock = new ManualClock()
  const stop = startCompactor({ store, clock, logger: silentLogger, keepMs: 100, everyMs: 10 })
  const old = await put(store, '/a', '1')
  await clock.tick(10)
  await put(store, '/a', '2')
  for (let tick = 0; tick < 9; tick += 1) await clock.tick(10)
  expect(store.compactRevision).toBe(1)
  await clock.tick(10)
  expect(store.compactRevision).toBe(old)
  stop()
  expect(clock.waiting).toBe(0)
  await store.close()
})

it('forgets nothing for its age when no age is given', async () => {
  const store = createMemoryStore()
  const clock = new ManualClock()
  const stop = startCompactor({ store, clock, logger: silentLogger, keepMs: 0 })
  await put(store, '/a', '1')
  await put(store, '/a', '2')
  for (let tick = 0; tick < 100; tick += 1) await clock.tick(60_000)
  expect(store.compactRevision).toBe(1)
  stop()
  await store.close()
})

it('forgets history by number, however young', async () => {
  const store = createMemoryStore()
  const clock = new ManualClock()
  const stop = startCompactor({ store, clock, logger: silentLogger, keepRevisions: 5, everyMs: 10 })
  for (let count = 0; count < 20; count += 1) await put(store, '/a', String(count))
  await clock.tick(10)
  expect(store.compactRevision).toBe(store.revision - 5)
  stop()
  await store.close()
})
