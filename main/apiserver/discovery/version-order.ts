// The order in which versions of a group are preferred: GA before beta before alpha, higher before lower, others last by name.
const form = /^v(\d+)(?:(alpha|beta)(\d+))?$/
const stability = { alpha: 1, beta: 2, ga: 3 } as const

export function compareVersions(a: string, b: string): number {
  const left = form.exec(a)
  const right = form.exec(b)
  if (left === null || right === null) return left === right ? (a < b ? -1 : a > b ? 1 : 0) : left === null ? 1 : -1
  const rank = (match: RegExpExecArray): number[] => {
    const stage = match[2]
    return [
      stage === 'alpha' || stage === 'beta' ? stability[stage] : stability.ga,
      Number(match[1]),
      Number(match[3] ?? '0'),
    ]
  }
  const [x, y] = [rank(left), rank(right)]
  for (let index = 0; index < x.length; index += 1) {
    const difference = (y[index] ?? 0) - (x[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
