// The order of a merged list: elements the patch names come in the patch's order, the others keep their live order, and the two
// are interleaved as the live list had them. Source: the order rules of strategic merge patch.
import { getOwn, isJsonObject, jsonEqual } from '../json.ts'

export function orderElements(options: {
  merged: readonly unknown[]
  /** Elements (or objects with just the key) in the order wanted. */
  wanted: readonly unknown[]
  /** The list before merging. */
  live: readonly unknown[]
  /** Undefined for lists of scalars. */
  mergeKey: string | undefined
}): unknown[] {
  const { merged, wanted, live, mergeKey } = options
  const keyOf = (item: unknown): unknown =>
    mergeKey !== undefined && isJsonObject(item) ? getOwn(item, mergeKey) : item
  const wantedAt = indexBy(wanted.map(keyOf))
  const liveAt = indexBy(live.map(keyOf))

  const named: unknown[] = []
  const others: unknown[] = []
  for (const item of merged) (wantedAt(keyOf(item)) >= 0 ? named : others).push(item)
  named.sort((a, b) => wantedAt(keyOf(a)) - wantedAt(keyOf(b)))
  others.sort((a, b) => liveAt(keyOf(a)) - liveAt(keyOf(b)))

  const result: unknown[] = []
  let next = 0
  for (const item of named) {
    const place = liveAt(keyOf(item))
    for (; next < others.length && place >= 0; next += 1) {
      const other = liveAt(keyOf(others[next]))
      if (other < 0 || other > place) break
      result.push(others[next])
    }
    result.push(item)
  }
  return [...result, ...others.slice(next)]
}

/** Index of a key in a list, -1 when it is not there. */
function indexBy(keys: readonly unknown[]): (key: unknown) => number {
  if (keys.some((key) => typeof key === 'object')) return (key) => keys.findIndex((other) => jsonEqual(other, key))
  const places = new Map<unknown, number>()
  for (const [index, key] of keys.entries()) if (!places.has(key)) places.set(key, index)
  return (key) => places.get(key) ?? -1
}
