import { expect, it } from 'vitest'
import { createManualClock } from '../../../common/client/testing/manual-clock.ts'
import { parseRequestInfo } from './request-info.ts'
import { RequestLimits } from './limits.ts'

const read = parseRequestInfo('GET', '/api/v1/namespaces/a/pods/b', false)
const write = parseRequestInfo('POST', '/api/v1/namespaces/a/pods', false)
const watch = parseRequestInfo('GET', '/api/v1/namespaces/a/pods', true)
const user = (name: string) => ({ name, groups: ['system:authenticated'] })

it('lets users in turn by turn when there is room again', async () => {
  const limits = new RequestLimits(createManualClock(), { reads: 1, writes: 1 })
  const first = limits.enter(user('a'), read)
  expect(first).toBeInstanceOf(Function)
  const order: string[] = []
  const waits = ['a1', 'a2', 'b1'].map(async (name) => {
    const leave = await limits.enter(user(name.slice(0, 1)), read)
    order.push(name)
    leave?.()
  })
  expect(limits.inflight).toEqual({ reads: 1, writes: 0, waiting: 3 })
  ;(first as () => void)()
  await Promise.all(waits)
  expect(order).toEqual(['a1', 'b1', 'a2'])
  expect(limits.inflight).toEqual({ reads: 0, writes: 0, waiting: 0 })
})

it('counts writes apart, and neither streams nor administrators', () => {
  const limits = new RequestLimits(createManualClock(), { reads: 1, writes: 1 })
  expect(limits.enter(user('a'), read)).toBeInstanceOf(Function)
  expect(limits.enter(user('a'), write)).toBeInstanceOf(Function)
  expect(limits.enter(user('a'), watch)).toBeUndefined()
  expect(limits.enter({ name: 'root', groups: ['system:masters'] }, read)).toBeUndefined()
})

it('sends away who would wait too long', async () => {
  const clock = createManualClock()
  const limits = new RequestLimits(clock, { reads: 1, writes: 1 })
  expect(limits.enter(user('a'), read)).toBeInstanceOf(Function)
  const waiting = limits.enter(user('b'), read)
  const refused = expect(waiting).rejects.toMatchObject({
    code: 429,
    status: { reason: 'TooManyRequests', details: { retryAfterSeconds: 1 } },
  })
  await clock.advance(15_000)
  await refused
  expect(limits.inflight.waiting).toBe(0)
})
