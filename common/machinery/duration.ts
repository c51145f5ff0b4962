// Durations as kubectl prints ages: two or three significant figures. Source: apimachinery pkg/util/duration.

const second = 1000
const minute = 60 * second
const hour = 60 * minute

const withRest = (whole: number, unit: string, rest: number, restUnit: string): string =>
  rest === 0 ? `${String(whole)}${unit}` : `${String(whole)}${unit}${String(rest)}${restUnit}`

/** "45s", "3m20s", "5h", "2d3h", "400d". Up to two seconds in the future count as now, because clocks differ. */
export function formatHumanDuration(ms: number): string {
  const seconds = Math.trunc(ms / second)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${String(seconds)}s`
  const minutes = Math.trunc(ms / minute)
  if (minutes < 10) return withRest(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${String(minutes)}m`
  const hours = Math.trunc(ms / hour)
  if (hours < 8) return withRest(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${String(hours)}h`
  const days = Math.trunc(hours / 24)
  if (days < 8) return withRest(days, 'd', hours % 24, 'h')
  if (days < 365 * 2) return `${String(days)}d`
  if (days < 365 * 8) return withRest(Math.trunc(days / 365), 'y', days % 365, 'd')
  return `${String(Math.trunc(days / 365))}y`
}

/** Age of an object from its creation time; kubectl prints "<unknown>" when there is none. */
export function formatAge(timestamp: string | undefined, now: Date | number): string {
  if (timestamp === undefined || timestamp === '') return '<unknown>'
  const since = Date.parse(timestamp)
  return Number.isNaN(since) ? '<unknown>' : formatHumanDuration(Number(now) - since)
}
