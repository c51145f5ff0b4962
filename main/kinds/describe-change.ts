// Says what differs between two values, path by path, for messages about fields that may not change.

const maxLines = 20

export function describeChange(before: unknown, after: unknown): string {
  const lines: string[] = []
  collect(lines, '', before, after)
  const more = lines.length > maxLines ? [`  … and ${String(lines.length - maxLines)} more`] : []
  return [...lines.slice(0, maxLines), ...more].join('\n')
}

function collect(lines: string[], path: string, before: unknown, after: unknown): void {
  if (before === after) return
  if (isTree(before) && isTree(after) && Array.isArray(before) === Array.isArray(after)) {
    const left = before as Record<string, unknown>
    const right = after as Record<string, unknown>
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      collect(
        lines,
        Array.isArray(before) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`,
        left[key],
        right[key],
      )
    }
    return
  }
  if (before !== undefined) lines.push(`- ${path}: ${JSON.stringify(before)}`)
  if (after !== undefined) lines.push(`+ ${path}: ${JSON.stringify(after)}`)
}

const isTree = (value: unknown): value is object => typeof value === 'object' && value !== null
