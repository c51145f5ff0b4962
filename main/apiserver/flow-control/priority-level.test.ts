import { describe, expect, it } from 'vitest'
import { FlowCounters } from './counters.ts'
import { dealHand } from './dealer.ts'
import { PriorityLevel } from './priority-level.ts'

const counters = new FlowCounters('level', 'schema')

function newLevel(
  seats: number,
  queuing: { queues: number; handSize: number; queueLengthLimit: number },
): PriorityLevel {
  const level = new PriorityLevel('level')
  level.spec = { type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing } } }
  level.current = seats
  return level
}

/** Waits as `flow`; notes its name when it is let in. */
function wait(level: PriorityLevel, flow: string, served: string[], seats = 1): string | undefined {
  return level.wait({ counters, seats, flow, since: 0, admit: () => served.push(flow) })
}

describe('a priority level', () => {
  it('serves flows turn by turn, however many requests each of them has', () => {
    const level = newLevel(1, { queues: 64, handSize: 1, queueLengthLimit: 50 })
    expect(level.tryEnter(counters, 1)).toBe(true)
    const served: string[] = []
    for (const flow of ['elephant', 'elephant', 'elephant', 'mouse']) wait(level, flow, served)
    expect(level.waiting).toBe(4)
    for (let turn = 0; turn < 4; turn += 1) level.leave(counters, 1)
    expect(served).toEqual(['elephant', 'mouse', 'elephant', 'elephant'])
    level.leave(counters, 1)
    expect([level.executing, level.busySeats, level.waiting]).toEqual([0, 0, 0])
  })

  it('lets nobody overtake those who wait', () => {
    const level = newLevel(2, { queues: 1, handSize: 1, queueLengthLimit: 5 })
    expect(level.tryEnter(counters, 1)).toBe(true)
    expect(level.tryEnter(counters, 2)).toBe(false)
    const served: string[] = []
    wait(level, 'wide', served, 2)
    expect(level.tryEnter(counters, 1)).toBe(false)
    level.leave(counters, 1)
    expect(served).toEqual(['wide'])
  })

  it('gives one that is too wide all there is, alone', () => {
    const level = newLevel(2, { queues: 1, handSize: 1, queueLengthLimit: 5 })
    expect(level.tryEnter(counters, 10)).toBe(true)
    expect(level.tryEnter(counters, 1)).toBe(false)
  })

  it('sends away who finds the queue full, and everybody when there are no queues', () => {
    const level = newLevel(1, { queues: 1, handSize: 1, queueLengthLimit: 1 })
    level.tryEnter(counters, 1)
    expect(wait(level, 'a', [])).toBeUndefined()
    expect(wait(level, 'b', [])).toBe('queue-full')
    level.leaving = 1
    expect(wait(level, 'c', [])).toBeUndefined()
    level.spec = { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } }
    expect(wait(level, 'd', [])).toBe('concurrency-limit')
  })

  it('forgets who has left', () => {
    const level = newLevel(1, { queues: 4, handSize: 2, queueLengthLimit: 5 })
    level.tryEnter(counters, 1)
    const served: string[] = []
    const waiting = { counters, seats: 1, flow: 'gone', since: 0, admit: () => served.push('gone') }
    level.wait(waiting)
    wait(level, 'next', served)
    expect(level.forget(waiting)).toBe(true)
    expect(level.forget(waiting)).toBe(false)
    level.leave(counters, 1)
    expect(served).toEqual(['next'])
  })

  it('keeps nobody waiting who is exempt', () => {
    const level = new PriorityLevel('exempt')
    for (let turn = 0; turn < 5; turn += 1) expect(level.tryEnter(counters, 1)).toBe(true)
  })
})

it('deals every flow a hand of different queues, always the same', () => {
  for (const flow of ['a', 'b', 'c/d', '']) {
    const hand = dealHand(flow, 8, 6)
    expect(new Set(hand).size).toBe(6)
    expect(Math.max(...hand)).toBeLessThan(8)
    expect(dealHand(flow, 8, 6)).toEqual(hand)
  }
  expect(dealHand('a', 2, 6).sort()).toEqual([0, 1])
})
