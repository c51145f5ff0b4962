// Ranking of the palette: every word must occur; starts of words and of names weigh more.

export interface Findable {
  /** What is searched, lower case: "web-7d9 pod default". */
  text: string
  /** Raises or lowers a whole group. */
  weight: number
}

export function rank<T extends Findable>(items: readonly T[], query: string, limit: number): T[] {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  if (words.length === 0) return [...items].sort((a, b) => b.weight - a.weight).slice(0, limit)
  const scored: { item: T; score: number }[] = []
  for (const item of items) {
    const score = scoreOf(item, words)
    if (score > 0) scored.push({ item, score })
  }
  scored.sort(
    (a, b) => b.score - a.score || a.item.text.length - b.item.text.length || a.item.text.localeCompare(b.item.text),
  )
  return scored.slice(0, limit).map((entry) => entry.item)
}

function scoreOf(item: Findable, words: readonly string[]): number {
  let score = 0
  for (const word of words) {
    const at = item.text.indexOf(word)
    if (at < 0) return 0
    const boundary = at === 0 || /[\s\-./]/.test(item.text.charAt(at - 1))
    score += at === 0 ? 12 : boundary ? 7 : 3
    // A whole word is worth more than its beginning.
    const end = item.text.charAt(at + word.length)
    if (boundary && (end === '' || end === ' ')) score += 4
  }
  return score + item.weight
}
