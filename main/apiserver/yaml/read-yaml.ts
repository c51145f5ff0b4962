// One YAML document as API objects come in them, with what strict decoding asks of its text. Knows nothing of HTTP: it runs on the
// main thread for small texts and in worker.ts for large ones.
import { isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, parseDocument } from 'yaml'

export interface YamlContent {
  readonly value: unknown
  /** What the text says twice, in upstream's words: `line 3: key "replicas" already set in map`. */
  readonly duplicates: readonly string[]
}

const maxReported = 100
/** What the lexer says before the text of a scalar. */
const scalarFollows = '\u001f'

export interface YamlLimits {
  /** Of collections in collections. */
  readonly maxDepth: number
  /** In the whole document; what aliases stand for counts each time. */
  readonly maxValues: number
}

/** The text may be YAML, and says more than it may. */
export class TooLargeError extends Error {}

const tooDeep = (maxDepth: number): Error => new Error(`exceeded max depth ${String(maxDepth)}`)

/** Throws TooLargeError for too many values, and other Errors that say what is wrong with the text. */
export function readYaml(text: string, { maxDepth, maxValues }: YamlLimits): YamlContent {
  requireShallowFlow(text, maxDepth)
  const lines = new LineCounter()
  // The parser's own search for keys given twice compares each with each: minutes for a large map.
  const document = parseDocument(text, { uniqueKeys: false, lineCounter: lines })
  const [error] = document.errors
  if (error !== undefined) throw error
  const duplicates: string[] = []
  const visit = (node: unknown, depth: number): void => {
    if (depth > maxDepth) throw tooDeep(maxDepth)
    if (isSeq(node)) for (const item of node.items) visit(item, depth + 1)
    if (!isMap(node)) return
    const seen = new Set<unknown>()
    for (const { key, value } of node.items) {
      if (isScalar(key)) {
        if (seen.has(key.value) && duplicates.length < maxReported) {
          const { line } = lines.linePos(key.range?.[0] ?? 0)
          duplicates.push(`line ${String(line)}: key ${JSON.stringify(String(key.value))} already set in map`)
        }
        seen.add(key.value)
      } else if (!isAlias(key)) visit(key, depth + 1)
      visit(value, depth + 1)
    }
  }
  visit(document.contents, 0)
  const value: unknown = document.toJS({ maxAliasCount: 100 })
  if (!hasAtMost(maxValues, value)) throw new TooLargeError(`more than ${String(maxValues)} values`)
  return { value, duplicates }
}

/** Brackets in brackets, counted before the parser turns each into some hundred bytes. */
function requireShallowFlow(text: string, maxDepth: number): void {
  let depth = 0
  let inScalar = false
  for (const token of new Lexer().lex(text)) {
    if (inScalar) inScalar = false
    else if (token === scalarFollows) inScalar = true
    else if (token === ']' || token === '}') depth = Math.max(0, depth - 1)
    else if ((token === '[' || token === '{') && (depth += 1) > maxDepth) throw tooDeep(maxDepth)
  }
}

/** Whether a document, itself included, holds no more values; looks at no more than so many. */
export function hasAtMost(limit: number, document: unknown): boolean {
  let left = limit
  const count = (value: unknown): boolean => {
    if ((left -= 1) < 0) return false
    return typeof value !== 'object' || value === null || Object.values(value).every(count)
  }
  return count(document)
}
