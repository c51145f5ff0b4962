// Durations as Go writes them: "1h30m", "1.5s", "-2ms", "0".
const unitMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 1e-6,
}

/** Milliseconds; undefined for what is no duration. */
export function parseGoDuration(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0
  const [, sign = '', rest = ''] = /^([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:h|ms|m|us|µs|ns|s))+)$/.exec(text) ?? []
  if (rest === '') return undefined
  let ms = 0
  for (const [, amount = '', unit = ''] of rest.matchAll(/([\d.]+)(h|ms|m|us|µs|ns|s)/g))
    ms += Number(amount) * (unitMs[unit] ?? 0)
  return sign === '-' ? -ms : ms
}
