import { describe, expect, it } from 'vitest'
import { decodeProtobuf } from './decode.ts'
import { MessageEncoder } from './encode.ts'
import type { WireFacts } from './wire-facts.ts'
import { WireWriter } from './wire-writer.ts'

const facts: WireFacts = {
  source: 'test',
  messages: {
    'meta/v1.ObjectMeta': {
      fields: {
        1: { name: 'name', type: 'string', omitZero: true },
        8: { name: 'creationTimestamp', type: 'time', omitZero: true },
        11: { name: 'labels', type: 'string', map: true },
        14: { name: 'finalizers', type: 'string', repeated: true },
      },
    },
    'core/v1.Thing': {
      fields: {
        1: { name: 'metadata', type: 'm:meta/v1.ObjectMeta' },
        2: { name: 'data', type: 'bytes', map: true },
        3: { name: 'immutable', type: 'bool' },
        4: { name: 'counts', type: 'int', repeated: true },
        5: { name: 'share', type: 'double' },
        6: { name: 'at', type: 'micro-time' },
        7: { name: 'size', type: 'quantity' },
        8: { name: 'port', type: 'int-or-string' },
        9: { name: 'raw', type: 'raw' },
        10: { type: 'm:core/v1.Inlined' },
        11: { name: 'extra', type: 'm:core/v1.Words', map: true },
        12: { name: 'period', type: 'duration' },
        13: { name: 'things', type: 'm:core/v1.Thing', repeated: true },
        14: { name: 'schema', type: 'schema-or-bool' },
        15: { name: 'schemas', type: 'schema-or-array' },
      },
    },
    'core/v1.Inlined': { fields: { 1: { name: 'path', type: 'string' }, 2: { name: 'mode', type: 'int' } } },
    'core/v1.Words': { list: true, fields: { 1: { name: 'items', repeated: true, type: 'string' } } },
    'apiextensions/v1.JSONSchemaProps': { fields: { 5: { name: 'type', type: 'string', omitZero: true } } },
  },
}

function encode(object: Record<string, unknown>): Buffer {
  const writer = new WireWriter()
  new MessageEncoder(facts).write(writer, 'core/v1.Thing', object)
  return writer.take()
}

function decode(message: Buffer): Record<string, unknown> {
  const varint = (value: number): number[] => (value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(value >> 7)])
  const envelope = [0x6b, 0x38, 0x73, 0, 10, 11, 10, 2, 0x76, 0x31, 18, 5, ...Buffer.from('Thing'), 18]
  const { apiVersion, kind, ...object } = decodeProtobuf(
    Buffer.concat([Buffer.from([...envelope, ...varint(message.length)]), message]),
    facts,
  )
  expect({ apiVersion, kind }).toEqual({ apiVersion: 'v1', kind: 'Thing' })
  return object
}

describe('MessageEncoder', () => {
  it('writes the bytes the protocol says', () => {
    expect(encode({ immutable: true, metadata: { name: 'a' } }).toString('hex')).toBe('0a030a01611801')
    expect(encode({ counts: [300, -1] }).toString('hex')).toBe('20ac0220ffffffffffffffffff01')
    expect(encode({ port: 'http' }).toString('hex')).toBe('420808011a0468747470')
  })

  it.each<[string, Record<string, unknown>]>([
    ['zero values that were given', { immutable: false, port: 0, size: '0', counts: [0] }],
    ['text beyond ASCII', { metadata: { name: 'żółć – 日本語', labels: { ключ: 'значение', long: 'é'.repeat(500) } } }],
    ['large and negative numbers', { counts: [2 ** 40, -(2 ** 40), 127, 128, 0, 9007199254740991], share: -0.5 }],
    ['times', { metadata: { creationTimestamp: '2026-01-01T00:00:00Z' }, at: '2026-01-01T00:00:00.123456Z' }],
    ['times before 1970', { metadata: { creationTimestamp: '1969-12-31T23:59:59Z' } }],
    ['bytes and raw JSON', { data: { a: 'AQID', b: '' }, raw: { 'f:spec': { '.': {} } } }],
    ['inlined messages', { path: '/x', mode: 420 }],
    ['lists of lists', { extra: { scopes: ['a', 'b'], none: ['c'] } }],
    ['messages in themselves', { things: [{ size: '1Gi' }, { things: [{ port: 80 }, { port: 'web' }] }] }],
    ['schema unions', { schema: false, schemas: [{ type: 'string' }, { type: 'object' }] }],
    ['a schema in a union', { schema: { type: 'string' }, schemas: { type: 'object' } }],
    ['durations', { period: '90.5s' }],
  ])('keeps %s', (_what, object) => {
    expect(decode(encode(object))).toEqual(object)
  })

  it('leaves out null and what it does not know', () => {
    expect(decode(encode({ metadata: { name: 'a', creationTimestamp: null, unknown: 1 }, port: null }))).toEqual({
      metadata: { name: 'a' },
    })
  })

  it('holds messages larger than its first buffer, and is empty after it was read', () => {
    const things = Array.from({ length: 5000 }, (_, index) => ({ metadata: { name: `thing-${String(index)}` } }))
    expect(decode(encode({ things }))).toEqual({ things })
    const writer = new WireWriter()
    writer.text('x'.repeat(3 << 20))
    expect(writer.take()).toHaveLength(3 << 20)
    expect(writer.length).toBe(0)
  })
})
