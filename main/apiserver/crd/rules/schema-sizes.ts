// How large a value of a schema can be at most: as its limits say, else as much as fits into a request.
import type { Extent } from '../../cel/checking/estimate.ts'
import type { Schema } from '../structural-schema.ts'
import { escapeName } from './schema-type.ts'

const maxRequestBytes = 3 * 1024 * 1024

/** Smallest text of a value in JSON, in bytes. */
function smallest(schema: Schema | undefined): number {
  switch (schema?.type) {
    case 'object': {
      const required = (schema.required ?? []).reduce(
        (sum, name) => sum + name.length + 4 + smallest(schema.properties?.[name]),
        0,
      )
      return 2 + required
    }
    case 'boolean':
      return 4
    case 'string':
      return 2 + (schema.minLength ?? 0)
    case 'array':
      return 2
    default:
      return 1
  }
}

/** As estimates of expressions want to know it. */
export function extentOf(schema: Schema): Extent {
  return {
    largest: largestOf(schema),
    field: (name) => {
      if (typeof schema.additionalProperties === 'object') return extentOf(schema.additionalProperties)
      const property = Object.entries(schema.properties ?? {}).find(([key]) => escapeName(key) === name)?.[1]
      return property === undefined ? undefined : extentOf(property)
    },
    element: () => {
      if (schema.items !== undefined) return extentOf(schema.items)
      return typeof schema.additionalProperties === 'object' ? extentOf(schema.additionalProperties) : undefined
    },
  }
}

/** Items, entries or characters. */
export function largestOf(schema: Schema): number {
  if (schema.type === 'array')
    return schema.maxItems ?? Math.floor((maxRequestBytes - 2) / (smallest(schema.items) + 1))
  if (schema.type === 'object') {
    const { additionalProperties } = schema
    if (typeof additionalProperties !== 'object') return Object.keys(schema.properties ?? {}).length
    return schema.maxProperties ?? Math.floor((maxRequestBytes - 2) / (smallest(additionalProperties) + 6))
  }
  if (schema.type === 'string' || schema['x-kubernetes-int-or-string'] === true) {
    const known: Readonly<Record<string, number>> = { date: 10, 'date-time': 35, duration: maxRequestBytes }
    if (schema.enum !== undefined) return Math.max(0, ...schema.enum.map((one) => String(one).length))
    return schema.maxLength ?? known[schema.format ?? ''] ?? maxRequestBytes - 2
  }
  return 1
}
