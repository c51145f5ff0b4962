import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { systemClock } from './clock.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('waits longer than a timer can', () => {
  const days = 24 * 3_600_000
  const called = vi.fn()
  systemClock.after(60 * days, called)
  const cancel = systemClock.after(60 * days, called)
  vi.advanceTimersByTime(59 * days)
  expect(called).not.toHaveBeenCalled()
  cancel()
  vi.advanceTimersByTime(days)
  expect(called).toHaveBeenCalledTimes(1)
})
