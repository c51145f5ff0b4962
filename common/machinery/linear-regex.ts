// Regular expressions that clients send (CEL, schema patterns): RE2's syntax, as Kubernetes reads them, in time linear in the text.
import { RE2JS, RE2JSSyntaxException } from 're2js'

/** The pattern is not RE2 syntax. */
export class RegexError extends Error {}

const cache = new Map<string, RE2JS>()
const maxCached = 500

/** Compiled once while it is in use. Throws RegexError. */
export function linearRegex(pattern: string): RE2JS {
  let regex = cache.get(pattern)
  if (regex === undefined) {
    try {
      regex = RE2JS.compile(pattern)
    } catch (error) {
      if (error instanceof RE2JSSyntaxException) throw new RegexError(error.message)
      throw error
    }
    if (cache.size >= maxCached) cache.clear()
    cache.set(pattern, regex)
  }
  return regex
}

/** The first `limit` non-overlapping matches from left to right; all of them when negative. */
export function findMatches(regex: RE2JS, text: string, limit: number): string[] {
  const found: string[] = []
  const matcher = regex.matcher(text)
  while (found.length !== limit && matcher.find()) found.push(matcher.group() ?? '')
  return found
}
