// Finds fields given twice in one JSON object, which JSON.parse silently merges. One pass over text that JSON.parse has already
// accepted, so it needs to know only strings, brackets, colons and commas.

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

interface Frame {
  /** Keys seen so far; undefined for arrays. */
  keys: Set<string> | undefined
  /** The key or index being read. */
  at: string | number
}

const maxReported = 100

/** `duplicate field "spec.replicas"` for each, at most 100. `text` must be valid JSON. */
export function findDuplicateFields(text: string): string[] {
  const found: string[] = []
  const frames: Frame[] = []
  let frame: Frame | undefined
  let key: string | undefined
  for (let index = 0; index < text.length; index += 1) {
    switch (text.charCodeAt(index)) {
      case quote: {
        const start = index
        index = endOfString(text, index)
        if (frame?.keys !== undefined) key = text.slice(start, index + 1)
        break
      }
      case colon:
        if (frame?.keys === undefined || key === undefined) break
        frame.at = key.includes('\\') ? (JSON.parse(key) as string) : key.slice(1, -1)
        key = undefined
        if (frame.keys.has(frame.at)) {
          if (found.length < maxReported) found.push(`duplicate field "${pathOf(frames)}"`)
        } else {
          frame.keys.add(frame.at)
        }
        break
      case openBrace:
        frames.push((frame = { keys: new Set(), at: '' }))
        break
      case openBracket:
        frames.push((frame = { keys: undefined, at: 0 }))
        break
      case closeBrace:
      case closeBracket:
        frames.pop()
        frame = frames[frames.length - 1]
        break
      case comma:
        if (frame !== undefined && typeof frame.at === 'number') frame.at += 1
        break
      default:
    }
  }
  return found
}

/** Index of the closing quote of the string that opens at `start`. */
export function endOfString(text: string, start: number): number {
  let index = start + 1
  for (;;) {
    const code = text.charCodeAt(index)
    if (code === quote || Number.isNaN(code)) return index
    index += code === backslash ? 2 : 1
  }
}

function pathOf(frames: readonly Frame[]): string {
  let path = ''
  for (const { at } of frames) path += typeof at === 'number' ? `[${String(at)}]` : `${path === '' ? '' : '.'}${at}`
  return path
}

/** Deepest nesting of objects and arrays; stops counting at `limit`, so hostile text costs no more than a scan. */
export function jsonDepth(text: string, limit = Number.POSITIVE_INFINITY): number {
  let depth = 0
  let deepest = 0
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === quote) index = endOfString(text, index)
    else if (code === openBrace || code === openBracket) {
      depth += 1
      if (depth > deepest) deepest = depth
      if (deepest >= limit) return deepest
    } else if (code === closeBrace || code === closeBracket) depth -= 1
  }
  return deepest
}
