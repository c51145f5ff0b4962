// Standard cron schedules: "*/5 * * * *", "@daily", "@every 1h30m". Says what is wrong with one.

const fields = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] },
  { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
] as const satisfies readonly { min: number; max: number; names: readonly string[] }[]

const descriptors = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']

export function scheduleProblem(schedule: string): string | undefined {
  const text = schedule.replace(/^(CRON_)?TZ=\S+\s+/, '').trim()
  if (text.startsWith('@')) {
    if (descriptors.includes(text)) return undefined
    if (!text.startsWith('@every ')) return `unrecognized descriptor: ${text}`
    const duration = text.slice('@every '.length)
    return /^([0-9]+(\.[0-9]*)?(h|m|s|ms|us|µs|ns))+$/.test(duration)
      ? undefined
      : `failed to parse duration ${text}: time: invalid duration ${JSON.stringify(duration)}`
  }
  const parts = text.split(/\s+/).filter((part) => part !== '')
  if (parts.length !== fields.length) {
    return `expected exactly ${String(fields.length)} fields, found ${String(parts.length)}: [${parts.join(' ')}]`
  }
  for (const [index, part] of parts.entries()) {
    const field = fields[index]
    if (field === undefined) continue
    for (const range of part.split(',')) {
      const problem = rangeProblem(range, field)
      if (problem !== undefined) return problem
    }
  }
  return undefined
}

function rangeProblem(
  text: string,
  { min, max, names }: { min: number; max: number; names: readonly string[] },
): string | undefined {
  const [span = '', step, ...more] = text.split('/')
  const [low = '', high, ...rest] = span.split('-')
  const wild = low === '*' || low === '?'
  const numbers: number[] = []
  for (const word of [
    ...(wild ? [] : [low]),
    ...(high === undefined ? [] : [high]),
    ...(step === undefined ? [] : [step]),
  ]) {
    const named = names.indexOf(word.toLowerCase())
    const value = named >= 0 && word !== step ? named + min : /^\d+$/.test(word) ? Number(word) : Number.NaN
    if (Number.isNaN(value))
      return `failed to parse int from ${word}: strconv.Atoi: parsing ${JSON.stringify(word)}: invalid syntax`
    numbers.push(value)
  }
  if (rest.length > 0) return `too many hyphens: ${text}`
  if (more.length > 0) return `too many slashes: ${text}`
  const start = wild ? min : (numbers[0] ?? min)
  const end = wild ? max : high === undefined ? (step === undefined ? start : max) : (numbers[1] ?? max)
  if (start < min) return `beginning of range (${String(start)}) below minimum (${String(min)}): ${text}`
  if (end > max) return `end of range (${String(end)}) above maximum (${String(max)}): ${text}`
  if (start > end) return `beginning of range (${String(start)}) beyond end of range (${String(end)}): ${text}`
  if (step !== undefined && Number(step) === 0) return `step of range should be a positive number: ${text}`
  return undefined
}
