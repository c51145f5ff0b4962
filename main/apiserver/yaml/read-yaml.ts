// One YAML document as API objects come in them, with what strict decoding asks of its text. Knows nothing of HTTP: it runs on the
// main thread for small texts and in worker.ts for large ones.
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'

export interface YamlContent {
  readonly value: unknown
  /** What the text says twice, in upstream's words: `line 3: key "replicas" already set in map`. */
  readonly duplicates: readonly string[]
}

const maxReported = 100

/** Throws an Error that says what is wrong with the text, or that its collections are nested deeper than `maxDepth`. */
export function readYaml(text: string, maxDepth: number): YamlContent {
  const lines = new LineCounter()
  // The parser's own search for keys given twice compares each with each: minutes for a large map.
  const document = parseDocument(text, { uniqueKeys: false, lineCounter: lines })
  const [error] = document.errors
  if (error !== undefined) throw error
  const duplicates: string[] = []
  const visit = (node: unknown, depth: number): void => {
    if (depth > maxDepth) throw new Error(`exceeded max depth ${String(maxDepth)}`)
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
  return { value: document.toJS({ maxAliasCount: 100 }), duplicates }
}
