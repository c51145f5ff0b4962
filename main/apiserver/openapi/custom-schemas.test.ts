import { describe, expect, it } from 'vitest'
import { customSchema } from './custom-schemas.ts'
import { v2Dialect, v3Dialect, type JsonSchema } from './schemas.ts'

const standard = { apiVersion: { type: 'string' }, kind: { type: 'string' } }
const free = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
const inV2 = (schema: JsonSchema): JsonSchema => customSchema(schema, standard, v2Dialect)
const within = (property: JsonSchema): JsonSchema => ({ type: 'object', properties: { property } })

describe('a custom resource', () => {
  it('has a type and metadata beside its own fields', () => {
    expect(inV2(within({ type: 'string' }))).toMatchObject({
      type: 'object',
      properties: {
        property: { type: 'string' },
        kind: { type: 'string' },
        metadata: { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' },
      },
    })
  })

  it('names no properties in v2 where unknown ones are preserved, for clients would refuse those', () => {
    expect(inV2({ ...free, ...within({ type: 'string' }) })).toEqual({ type: 'object' })
    expect(customSchema({ ...free, ...within({ type: 'string' }) }, standard, v3Dialect)).toHaveProperty([
      'properties',
      'property',
    ])
    const inner = inV2(within({ ...free, properties: { a: { type: 'string' } } }))
    expect(inner['properties']).toMatchObject({ property: { 'x-kubernetes-preserve-unknown-fields': true } })
    expect(inner).not.toHaveProperty(['properties', 'property', 'type'])
    expect(inner).not.toHaveProperty(['properties', 'property', 'properties'])
  })

  it('has no types in v2 for what may be null or is a list of anything, and does not require the former', () => {
    const { properties, required } = inV2({
      required: ['a', 'b'],
      properties: {
        a: { type: 'object', nullable: true, properties: {} },
        b: { type: 'array' },
        c: { type: 'string' },
      },
    })
    expect(properties).toMatchObject({ a: {}, b: {}, c: { type: 'string' } })
    expect((properties as JsonSchema)['a']).toEqual({})
    expect((properties as JsonSchema)['b']).toEqual({})
    expect(required).toEqual(['b'])
  })

  it.each([v2Dialect, v3Dialect])('describes type and metadata of objects within it', (dialect) => {
    const { properties } = customSchema(
      within({ type: 'object', 'x-kubernetes-embedded-resource': true, required: ['kind'] }),
      standard,
      dialect,
    )
    expect((properties as JsonSchema)['property']).toMatchObject({
      required: ['kind', 'apiVersion'],
      properties: { apiVersion: { type: 'string' }, metadata: {} },
    })
  })
})
