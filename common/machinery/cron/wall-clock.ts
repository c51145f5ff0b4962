// What the clock on the wall says in a time zone. Times are milliseconds since 1970 (UTC).

export interface WallClock {
  year: number
  /** 1-12 */
  month: number
  day: number
  hour: number
  minute: number
  second: number
  /** 0 is Sunday. */
  weekday: number
}

/** Throws RangeError for a zone that does not exist. */
export function wallClockOf(timeZone: string): (ms: number) => WallClock {
  if (timeZone === 'UTC') return (ms) => fromUtc(ms)
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (ms) => {
    const part: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(ms)) if (type !== 'literal') part[type] = Number(value)
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = part
    return fromUtc(Date.UTC(year, month - 1, day, hour, minute, second))
  }
}

function fromUtc(ms: number): WallClock {
  const date = new Date(ms)
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    weekday: date.getUTCDay(),
  }
}

/** RFC 3339 with seconds and the zone's offset at that time: "2026-06-01T12:00:00+02:00". */
export function formatInZone(ms: number, timeZone: string): string {
  const { year, month, day, hour, minute, second } = wallClockOf(timeZone)(ms)
  const wall = Date.UTC(year, month - 1, day, hour, minute, second)
  const text = new Date(wall).toISOString().slice(0, 19)
  const offset = Math.round((wall - ms) / 60_000)
  if (offset === 0) return `${text}Z`
  const two = (value: number): string => String(value).padStart(2, '0')
  const size = Math.abs(offset)
  return `${text}${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
}
