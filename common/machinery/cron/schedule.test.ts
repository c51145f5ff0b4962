import { describe, expect, it } from 'vitest'
import { cronSchedule } from './schedule.ts'
import { formatInZone } from './wall-clock.ts'

const ms = (text: string): number => Date.parse(text)
const iso = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : new Date(at).toISOString().slice(0, 16)

describe('cron schedule', () => {
  it.each([
    ['*/15 * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:15'],
    ['*/15 * * * *', '2026-01-01T00:14:59Z', '2026-01-01T00:15'],
    ['0 0 * * *', '2026-01-01T00:00:00Z', '2026-01-02T00:00'],
    ['@hourly', '2026-01-01T23:30:00Z', '2026-01-02T00:00'],
    ['30 4 1,15 * *', '2026-01-02T00:00:00Z', '2026-01-15T04:30'],
    ['0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00'],
    ['0 0 30 2 *', '2026-01-01T00:00:00Z', undefined],
    // Sundays, and the 13th: either.
    ['0 0 13 * sun', '2026-01-01T00:00:00Z', '2026-01-04T00:00'],
    ['0 0 13 * sun', '2026-01-12T00:00:00Z', '2026-01-13T00:00'],
    // A star in one of the two: both.
    ['0 0 */1 * sun', '2026-01-01T00:00:00Z', '2026-01-04T00:00'],
    ['0 22 * * 1-5', '2026-01-02T23:00:00Z', '2026-01-05T22:00'],
    ['5/20 1 * * *', '2026-01-01T01:30:00Z', '2026-01-01T01:45'],
    ['@every 90m', '2026-01-01T00:00:10Z', '2026-01-01T01:30'],
    ['TZ=Asia/Tokyo 0 9 * * *', '2026-01-01T00:00:00Z', '2026-01-02T00:00'],
  ])('%s after %s: %s', (expression, after, expected) => {
    expect(iso(cronSchedule(expression).next(ms(after)))).toBe(expected)
  })

  it.each([
    ['Europe/Berlin', '0 12 * * *', '2026-07-01T00:00:00Z', '2026-07-01T10:00'],
    ['Europe/Berlin', '0 12 * * *', '2026-12-01T00:00:00Z', '2026-12-01T11:00'],
    // 29 March 2026: two o'clock does not exist.
    ['Europe/Berlin', '30 2 * * *', '2026-03-28T12:00:00Z', '2026-03-30T00:30'],
    ['Europe/Berlin', '0 0 * * *', '2026-03-28T23:00:00Z', '2026-03-29T22:00'],
    // 25 October 2026: two o'clock comes twice.
    ['Europe/Berlin', '30 2 * * *', '2026-10-25T00:00:00Z', '2026-10-25T00:30'],
    ['Europe/Berlin', '30 2 * * *', '2026-10-25T00:30:00Z', '2026-10-25T01:30'],
    ['Europe/Berlin', '0 0 * * *', '2026-10-24T22:00:00Z', '2026-10-25T23:00'],
    ['Asia/Kolkata', '0 9 * * *', '2026-01-01T00:00:00Z', '2026-01-01T03:30'],
    ['America/St_Johns', '0 0 1 * *', '2026-01-01T12:00:00Z', '2026-02-01T03:30'],
    // Midnight itself is skipped there on 6 September 2026.
    ['America/Santiago', '0 1 * * *', '2026-09-05T12:00:00Z', '2026-09-06T04:00'],
  ])('in %s %s after %s: %s', (zone, expression, after, expected) => {
    expect(iso(cronSchedule(expression, zone).next(ms(after)))).toBe(expected)
  })

  it('finds the last of many and counts only so far', () => {
    const from = ms('2026-01-01T00:00:00Z')
    const now = ms('2026-03-01T00:07:30Z')
    const latest = (expression: string) => {
      const { atMs, count } = cronSchedule(expression).latest(from, now, 101)
      return [iso(atMs), count]
    }
    expect(latest('*/5 * * * *')).toEqual(['2026-03-01T00:05', 101])
    expect(latest('0 12 * * *')).toEqual(['2026-02-28T12:00', 59])
    expect(latest('0 3 * * *')).toEqual(['2026-02-28T03:00', 59])
    expect(latest('@every 7m')).toEqual(['2026-03-01T00:06', 101])
    expect(latest('0 0 1 6 *')).toEqual([undefined, 0])
  })

  it('writes times with the offset of the zone', () => {
    expect(formatInZone(ms('2026-07-01T10:00:00Z'), 'Europe/Berlin')).toBe('2026-07-01T12:00:00+02:00')
    expect(formatInZone(ms('2026-07-01T10:00:00Z'), 'America/St_Johns')).toBe('2026-07-01T07:30:00-02:30')
    expect(formatInZone(ms('2026-07-01T10:00:00Z'), 'UTC')).toBe('2026-07-01T10:00:00Z')
  })
})
