// Which item of a list was there before: items of map lists are the same when their keys are; of other lists nothing can be told.
import { isJsonObject } from '../../../common/machinery/json.ts'

interface ListSchema {
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
}

/** From an item of the new list to its old state. */
export function correlated(schema: ListSchema, old: unknown): (item: unknown) => unknown {
  const keys = schema['x-kubernetes-list-map-keys']
  if (!Array.isArray(old) || schema['x-kubernetes-list-type'] !== 'map' || keys === undefined) return () => undefined
  const keyOf = (item: unknown): string =>
    JSON.stringify(keys.map((key) => (isJsonObject(item) ? (item[key] ?? null) : null)))
  const before = new Map(old.map((item: unknown) => [keyOf(item), item]))
  return (item) => before.get(keyOf(item))
}
