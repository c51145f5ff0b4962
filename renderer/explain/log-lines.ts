// Log lines as the viewer keeps them: time apart from text, colours stripped, newest kept when there are too many.

export interface LogLine {
  /** Counts up; stable while the line is kept. */
  id: number
  time: string
  text: string
}

export const maxLogLines = 50_000

/** Splits "2026-01-01T00:00:00.123456789Z text"; a line without a timestamp is all text. */
export function parseLogLine(id: number, raw: string): LogLine {
  const space = raw.indexOf(' ')
  const head = space < 0 ? raw : raw.slice(0, space)
  const stamped = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(head)
  return { id, time: stamped ? head : '', text: stripAnsi(stamped ? (space < 0 ? '' : raw.slice(space + 1)) : raw) }
}

/** Appends in place, dropping the oldest beyond the limit. */
export function appendLogLines(lines: LogLine[], added: readonly LogLine[], limit = maxLogLines): void {
  lines.push(...added)
  if (lines.length > limit) lines.splice(0, lines.length - limit)
}

const ansi = /\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007]*(?:\u0007|\u001b\\)|[\u0000-\u0008\u000b-\u001f]/g
export const stripAnsi = (text: string): string => text.replace(ansi, '')

/** Indexes of the lines that contain the text, case-insensitively unless it has a capital. */
export function searchLog(lines: readonly LogLine[], query: string): number[] {
  if (query === '') return []
  const exact = query !== query.toLowerCase()
  const needle = exact ? query : query.toLowerCase()
  const found: number[] = []
  for (const [index, line] of lines.entries())
    if ((exact ? line.text : line.text.toLowerCase()).includes(needle)) found.push(index)
  return found
}

export interface Piece {
  text: string
  hit: boolean
}

/** The text cut at every occurrence of the query. */
export function highlightPieces(text: string, query: string): Piece[] {
  if (query === '') return [{ text, hit: false }]
  const exact = query !== query.toLowerCase()
  const hay = exact ? text : text.toLowerCase()
  const needle = exact ? query : query.toLowerCase()
  const pieces: Piece[] = []
  let from = 0
  for (let at = hay.indexOf(needle); at >= 0; at = hay.indexOf(needle, from)) {
    if (at > from) pieces.push({ text: text.slice(from, at), hit: false })
    pieces.push({ text: text.slice(at, at + needle.length), hit: true })
    from = at + needle.length
  }
  if (from < text.length || pieces.length === 0) pieces.push({ text: text.slice(from), hit: false })
  return pieces
}
