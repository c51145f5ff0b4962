// When a cron expression is due. A time that the clocks skip in spring does not come; one that they repeat in autumn comes twice.
import type { CronExpression, CronFields } from './parse.ts'
import { parseCron } from './parse.ts'
import type { WallClock } from './wall-clock.ts'
import { wallClockOf } from './wall-clock.ts'

export interface CronSchedule {
  /** The first time after `afterMs`; undefined when there is none within five years. */
  next(afterMs: number): number | undefined
  /** The last time after `afterMs` and not after `nowMs`, and how many there were; counting stops at `countTo`. */
  latest(afterMs: number, nowMs: number, countTo: number): { atMs: number | undefined; count: number }
}

const minuteMs = 60_000
const dayMinutes = 24 * 60
const farMs = 5 * 366 * dayMinutes * minuteMs

/** Throws SyntaxError for a bad expression, RangeError for a zone that does not exist. A zone in the expression wins. */
export function cronSchedule(expression: string, timeZone = 'UTC'): CronSchedule {
  const parsed = parseCron(expression)
  return parsed.kind === 'interval' ? everyInterval(parsed.everyMs) : onFields(parsed, parsed.timeZone ?? timeZone)
}

function everyInterval(everyMs: number): CronSchedule {
  // Counted in whole seconds from where it starts.
  const second = (ms: number): number => Math.floor(ms / 1000) * 1000
  return {
    next: (afterMs) => second(afterMs) + everyMs,
    latest(afterMs, nowMs, countTo) {
      const count = Math.max(0, Math.floor((nowMs - second(afterMs)) / everyMs))
      return { atMs: count === 0 ? undefined : second(afterMs) + count * everyMs, count: Math.min(count, countTo) }
    },
  }
}

function onFields(fields: CronFields & Pick<CronExpression, 'timeZone'>, timeZone: string): CronSchedule {
  const wall = wallClockOf(timeZone)
  const next = (afterMs: number): number | undefined => nextOf(fields, wall, afterMs)
  return {
    next,
    latest(afterMs, nowMs, countTo) {
      let atMs: number | undefined
      let count = 0
      for (let at = next(afterMs); at !== undefined && at <= nowMs; at = next(at)) {
        atMs = at
        if (++count >= countTo) return { atMs: lastBefore(next, at, nowMs), count }
      }
      return { atMs, count }
    },
  }
}

/** The last time not after `nowMs`, from a known earlier one, without walking over all between. */
function lastBefore(next: (ms: number) => number | undefined, known: number, nowMs: number): number {
  for (let backMs = minuteMs; nowMs - backMs > known; backMs *= 2) {
    let found: number | undefined
    for (let at = next(nowMs - backMs); at !== undefined && at <= nowMs; at = next(at)) found = at
    if (found !== undefined) return found
  }
  return known
}

function nextOf(fields: CronFields, wall: (ms: number) => WallClock, afterMs: number): number | undefined {
  let at = (Math.floor(afterMs / minuteMs) + 1) * minuteMs
  while (at - afterMs < farMs) {
    const clock = wall(at)
    if (!fields.months.has(clock.month) || !isDay(fields, clock)) at = startOfNextDay(wall, at, clock)
    else if (!fields.hours.has(clock.hour)) at += (60 - clock.minute) * minuteMs
    else if (!fields.minutes.has(clock.minute)) at += minuteMs
    else return at
  }
  return undefined
}

function isDay({ daysOfMonth, daysOfWeek, anyDay }: CronFields, { day, weekday }: WallClock): boolean {
  const [ofMonth, ofWeek] = [daysOfMonth.has(day), daysOfWeek.has(weekday)]
  return anyDay ? ofMonth && ofWeek : ofMonth || ofWeek
}

function startOfNextDay(wall: (ms: number) => WallClock, at: number, { day, hour, minute }: WallClock): number {
  let start = at + (dayMinutes - hour * 60 - minute) * minuteMs
  // A day in which the clocks change has 23 or 25 hours.
  const guess = wall(start)
  if (guess.day === day) start += (dayMinutes - guess.hour * 60 - guess.minute) * minuteMs
  else if (guess.hour > 0 || guess.minute > 0) {
    const earlier = start - (guess.hour * 60 + guess.minute) * minuteMs
    if (wall(earlier).day !== day) start = earlier
  }
  return start
}
