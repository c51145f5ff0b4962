// Standard cron expressions as robfig/cron reads them: "*/5 * * * *", "@daily", "@every 1h30m", with an optional "TZ=Europe/Berlin "
// before. Errors are worded as there, because validation passes them on.
import { parseGoDuration } from '../go-duration.ts'

export interface CronFields {
  kind: 'fields'
  minutes: ReadonlySet<number>
  hours: ReadonlySet<number>
  daysOfMonth: ReadonlySet<number>
  months: ReadonlySet<number>
  daysOfWeek: ReadonlySet<number>
  /** With a "*" in either day field a day must match both; without, one is enough. */
  anyDay: boolean
}
export interface CronInterval {
  kind: 'interval'
  everyMs: number
}
export type CronExpression = (CronFields | CronInterval) & { timeZone: string | undefined }

interface Field {
  min: number
  max: number
  names: readonly string[]
}
const minute: Field = { min: 0, max: 59, names: [] }
const hour: Field = { min: 0, max: 23, names: [] }
const dayOfMonth: Field = { min: 1, max: 31, names: [] }
const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const month: Field = { min: 1, max: 12, names: monthNames }
const dayOfWeek: Field = { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] }

const descriptors: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

/** What is wrong with the expression, if anything. */
export function scheduleProblem(expression: string): string | undefined {
  try {
    parseCron(expression)
    return undefined
  } catch (error) {
    if (error instanceof SyntaxError) return error.message
    throw error
  }
}

/** Throws SyntaxError. */
export function parseCron(expression: string): CronExpression {
  const zone = /^(?:CRON_)?TZ=(\S+)\s+/.exec(expression)
  const timeZone = zone?.[1]
  const text = expression.slice(zone?.[0].length ?? 0).trim()
  if (text.startsWith('@every ')) return { kind: 'interval', everyMs: parseInterval(text), timeZone }
  if (text.startsWith('@')) {
    const meaning = descriptors[text]
    if (meaning === undefined) throw new SyntaxError(`unrecognized descriptor: ${text}`)
    return { ...parseFields(meaning), timeZone }
  }
  return { ...parseFields(text), timeZone }
}

function parseInterval(text: string): number {
  const duration = text.slice('@every '.length)
  const ms = parseGoDuration(duration)
  if (ms === undefined)
    throw new SyntaxError(`failed to parse duration ${text}: time: invalid duration ${JSON.stringify(duration)}`)
  // Whole seconds, and never less than one.
  return Math.max(1000, Math.floor(ms / 1000) * 1000)
}

function parseFields(text: string): CronFields {
  const parts = text.split(/\s+/).filter((part) => part !== '')
  if (parts.length !== 5)
    throw new SyntaxError(`expected exactly 5 fields, found ${String(parts.length)}: [${parts.join(' ')}]`)
  const [minutes, hours, daysOfMonth, months, daysOfWeek] = [
    parseField(parts[0] ?? '', minute),
    parseField(parts[1] ?? '', hour),
    parseField(parts[2] ?? '', dayOfMonth),
    parseField(parts[3] ?? '', month),
    parseField(parts[4] ?? '', dayOfWeek),
  ]
  return {
    kind: 'fields',
    minutes: minutes.values,
    hours: hours.values,
    daysOfMonth: daysOfMonth.values,
    months: months.values,
    daysOfWeek: daysOfWeek.values,
    anyDay: daysOfMonth.star || daysOfWeek.star,
  }
}

function parseField(text: string, field: Field): { values: Set<number>; star: boolean } {
  const values = new Set<number>()
  let star = false
  for (const range of text.split(',')) {
    const { start, end, step, wild } = parseRange(range, field)
    for (let value = start; value <= end; value += step) values.add(value)
    if (wild && step === 1) star = true
  }
  return { values, star }
}

function parseRange(
  text: string,
  { min, max, names }: Field,
): { start: number; end: number; step: number; wild: boolean } {
  const [span = '', stepText, ...more] = text.split('/')
  const [low = '', high, ...rest] = span.split('-')
  const wild = low === '*' || low === '?'
  const valueOf = (word: string): number => {
    const named = names.indexOf(word.toLowerCase())
    return named >= 0 ? named + min : integer(word)
  }
  let start = min
  let end = max
  if (!wild) {
    start = valueOf(low)
    end = high === undefined ? start : valueOf(high)
  } else if (high !== undefined) valueOf(high)
  const step = stepText === undefined ? 1 : integer(stepText)
  if (rest.length > 0) throw new SyntaxError(`too many hyphens: ${text}`)
  if (more.length > 0) throw new SyntaxError(`too many slashes: ${text}`)
  // "N/step" means "N-max/step".
  if (!wild && high === undefined && stepText !== undefined) end = max
  const problem = (what: string): SyntaxError => new SyntaxError(`${what}: ${text}`)
  if (start < min) throw problem(`beginning of range (${String(start)}) below minimum (${String(min)})`)
  if (end > max) throw problem(`end of range (${String(end)}) above maximum (${String(max)})`)
  if (start > end) throw problem(`beginning of range (${String(start)}) beyond end of range (${String(end)})`)
  if (step === 0) throw problem('step of range should be a positive number')
  return { start, end, step, wild }
}

function integer(word: string): number {
  if (!/^\d+$/.test(word))
    throw new SyntaxError(
      `failed to parse int from ${word}: strconv.Atoi: parsing ${JSON.stringify(word)}: invalid syntax`,
    )
  return Number(word)
}
