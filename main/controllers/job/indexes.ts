// Completion indexes of Indexed jobs, in the form the status holds them: "0-2,5,6" (runs of three and more are shortened).

/** Indexes from `completions` on are left out: the job has shrunk since. */
export function parseIndexes(text: string | undefined, completions = Number.MAX_SAFE_INTEGER): Set<number> {
  const indexes = new Set<number>()
  for (const part of (text ?? '').split(',')) {
    const match = /^([0-9]+)(?:-([0-9]+))?$/.exec(part)
    if (match === null) continue
    const from = Number(match[1])
    const to = Math.min(Number(match[2] ?? from), completions - 1)
    for (let i = from; i <= to; i++) indexes.add(i)
  }
  return indexes
}

export function formatIndexes(indexes: Iterable<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b)
  const parts: string[] = []
  for (let i = 0; i < sorted.length;) {
    let end = i
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end++
    const [from, to] = [sorted[i] ?? 0, sorted[end] ?? 0]
    if (to - from >= 2) parts.push(`${String(from)}-${String(to)}`)
    else parts.push(...sorted.slice(i, end + 1).map(String))
    i = end + 1
  }
  return parts.join(',')
}
