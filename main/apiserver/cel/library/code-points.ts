// CEL counts characters as Unicode code points, JavaScript as UTF-16 units.
export function codePoints(text: string): number[] {
  const points: number[] = []
  for (const character of text) points.push(character.codePointAt(0) ?? 0)
  return points
}

export function textOf(points: readonly number[], start: number, end: number): string {
  let text = ''
  for (let at = start; at < end; at += 1) text += String.fromCodePoint(points[at] ?? 0)
  return text
}
