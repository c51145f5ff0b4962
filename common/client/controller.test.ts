import { describe, expect, it } from 'vitest'
import { silentLogger } from '../machinery/logger.ts'
import { optimisticConflict } from '../machinery/status.ts'
import type { KeySource, ReconcileResult } from './controller.ts'
import { createController, requeueAfter, terminal } from './controller.ts'
import { createManualClock, settle } from './testing/manual-clock.ts'

function setUp(reconcile: (key: string, signal: AbortSignal) => Promise<ReconcileResult>, workers = 1) {
  const clock = createManualClock()
  let enqueue: (key: string) => void = () => undefined
  const source: KeySource = {
    synced: Promise.resolve(),
    attach(to) {
      enqueue = to
      return () => {
        enqueue = () => undefined
      }
    },
  }
  const terminals: string[] = []
  const controller = createController({
    name: 'test',
    workers,
    sources: [source],
    reconcile,
    onTerminal: (key, error) => terminals.push(`${key}: ${error.message}`),
    logger: silentLogger,
    clock,
  })
  return {
    clock,
    controller,
    terminals,
    add: (key: string) => {
      enqueue(key)
    },
  }
}

describe('controller', () => {
  it('tries a failing key again with growing delays', async () => {
    let calls = 0
    const { clock, controller, add } = setUp(() => {
      calls++
      return calls < 4 ? Promise.reject(new Error('not yet')) : Promise.resolve()
    })
    await controller.start()
    add('a')
    await clock.advance(5 + 10)
    expect(calls).toBe(3)
    await clock.advance(20)
    expect(calls).toBe(4)
    await clock.advance(60_000)
    expect(calls).toBe(4)
    expect(controller.counters).toMatchObject({ reconciles: 4, errors: 3 })
    await controller.stop()
  })

  it('calls again after requeueAfter, and counts conflicts apart', async () => {
    const calls: number[] = []
    const { clock, controller, add } = setUp(() => {
      calls.push(clock.now())
      if (calls.length === 2) return Promise.reject(optimisticConflict({ group: '', resource: 'pods' }, 'a'))
      return Promise.resolve(calls.length === 1 ? requeueAfter(1_000) : undefined)
    })
    await controller.start()
    add('a')
    await clock.advance(2_000)
    expect(calls).toHaveLength(3)
    expect((calls[1] ?? 0) - (calls[0] ?? 0)).toBe(1_000)
    expect(controller.counters).toMatchObject({ errors: 0, conflicts: 1 })
    await controller.stop()
  })

  it('does not try again after a terminal error', async () => {
    const { clock, controller, add, terminals } = setUp(() => Promise.reject(terminal('cannot ever')))
    await controller.start()
    add('a')
    await clock.advance(100_000)
    expect(terminals).toEqual(['a: cannot ever'])
    expect(controller.counters.reconciles).toBe(1)
    await controller.stop()
  })

  it('waits for running work when stopped, with its signal aborted', async () => {
    let finish: () => void = () => undefined
    let aborted = false
    const { controller, add } = setUp(
      (_key, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => (aborted = true))
          finish = () => {
            resolve()
          }
        }),
    )
    await controller.start()
    add('a')
    await settle()
    let stopped = false
    const stopping = controller.stop().then(() => (stopped = true))
    await settle()
    expect([aborted, stopped]).toEqual([true, false])
    finish()
    await stopping
    expect(controller.idle).toBe(true)
  })
})
