// The CRI log format: "2026-11-22T10:00:00.123456789Z stdout F text\n"; tag P means the line goes on in the next entry.

export interface LogLine {
  /** As written, nanoseconds included. */
  timestamp: string
  stream: 'stdout' | 'stderr'
  /** With its line break, unless the entry is partial. */
  content: Buffer
}

const space = 0x20

/** Undefined for anything that is not a complete entry. */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const first = line.indexOf(space)
  const second = line.indexOf(space, first + 1)
  const third = line.indexOf(space, second + 1)
  if (first <= 0 || second < 0 || third < 0) return undefined
  const stream = line.toString('latin1', first + 1, second)
  if (stream !== 'stdout' && stream !== 'stderr') return undefined
  const partial = line.toString('latin1', second + 1, third).split(':')[0] === 'P'
  const end = line.at(-1) === 0x0a ? line.length - 1 : line.length
  const text = line.subarray(third + 1, end)
  return {
    timestamp: line.toString('latin1', 0, first),
    stream,
    content: partial ? Buffer.from(text) : Buffer.concat([text, Buffer.from('\n')]),
  }
}
