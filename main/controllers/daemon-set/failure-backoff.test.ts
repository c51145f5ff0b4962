import { expect, it } from 'vitest'
import { createManualClock } from '../../../common/client/testing/manual-clock.ts'
import { FailureBackoff } from './failure-backoff.ts'

it('lets the first through, makes the next wait longer each time, and forgets', async () => {
  const clock = createManualClock()
  const backoff = new FailureBackoff(clock)
  expect(backoff.next('a')).toBe(0)
  expect(backoff.next('a')).toBe(1_000)
  expect(backoff.next('b')).toBe(0)
  await clock.advance(1_000)
  expect(backoff.next('a')).toBe(0)
  expect(backoff.next('a')).toBe(2_000)
  await clock.advance(31 * 60_000)
  expect(backoff.next('a')).toBe(0)
  expect(backoff.next('a')).toBe(1_000)
})
