// Sets of completion indexes in text form: "0,2-4,7".

/** How many indexes the text names, or what is wrong with it. */
export function countIndexes(text: string, completions: number): { total: number } | { problem: string } {
  if (text === '') return { total: 0 }
  let total = 0
  let last = -1
  for (const interval of text.split(',')) {
    const limits = interval.split('-')
    if (limits.length > 2)
      return {
        problem: `the fragment "${interval}" violates the requirement that an index interval can have at most two parts separated by '-'`,
      }
    const [from, to = from] = limits.map((limit) => (/^\d+$/.test(limit) ? Number(limit) : Number.NaN))
    if (from === undefined || to === undefined || Number.isNaN(from) || Number.isNaN(to)) {
      const [wrong = ''] = limits.filter((limit) => !/^\d+$/.test(limit))
      return { problem: `cannot convert string to integer for index: "${wrong}"` }
    }
    if (from >= completions || to >= completions) {
      const wrong = from >= completions ? limits[0] : limits[1]
      return { problem: `too large index: "${wrong ?? ''}"` }
    }
    if (limits.length === 2 && from >= to)
      return { problem: `non-increasing order, previous: ${String(from)}, current: ${String(to)}` }
    if (last >= from) return { problem: `non-increasing order, previous: ${String(last)}, current: ${String(from)}` }
    total += to - from + 1
    last = to
  }
  return { total }
}
