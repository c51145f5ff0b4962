import { describe, expect, it } from 'vitest'
import type { StatusError } from '../../../common/machinery/status.ts'
import { decodeProtobuf } from './decode.ts'
import type { WireFacts } from './wire-facts.ts'

const facts: WireFacts = {
  source: 'test',
  messages: {
    'meta/v1.ObjectMeta': {
      fields: {
        1: { name: 'name', type: 'string', omitZero: true },
        3: { name: 'namespace', type: 'string', omitZero: true },
        8: { name: 'creationTimestamp', type: 'time', omitZero: true },
        11: { name: 'labels', type: 'string', map: true },
      },
    },
    'core/v1.ConfigMap': {
      fields: {
        1: { name: 'metadata', type: 'm:meta/v1.ObjectMeta' },
        2: { name: 'data', type: 'string', map: true },
        3: { name: 'binaryData', type: 'bytes', map: true },
        4: { name: 'immutable', type: 'bool' },
      },
    },
    'core/v1.Volume': { fields: { 1: { name: 'name', type: 'string' }, 2: { type: 'm:core/v1.VolumeSource' } } },
    'core/v1.VolumeSource': {
      fields: { 1: { name: 'size', type: 'quantity' }, 2: { name: 'port', type: 'int-or-string' } },
    },
  },
}

const field = (number: number, payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from([number * 8 + 2, payload.length]), payload])
const text = (number: number, value: string): Buffer => field(number, Buffer.from(value))
const envelope = (apiVersion: string, kind: string, raw: Buffer): Buffer =>
  Buffer.concat([Buffer.from('k8s\0'), field(1, Buffer.concat([text(1, apiVersion), text(2, kind)])), field(2, raw)])

describe('decodeProtobuf', () => {
  it('gives the JSON form: omitted zeros, maps, bytes as base64, pointers kept', () => {
    const raw = Buffer.concat([
      field(
        1,
        Buffer.concat([
          text(1, 'a'),
          text(3, ''),
          field(8, Buffer.alloc(0)),
          field(11, Buffer.concat([text(1, 'app'), text(2, 'web')])),
        ]),
      ),
      field(2, Buffer.concat([text(1, 'k'), text(2, 'v')])),
      field(2, Buffer.concat([text(1, '__proto__'), text(2, 'x')])),
      field(3, Buffer.concat([text(1, 'b'), field(2, Buffer.from([1, 2, 3]))])),
      Buffer.from([4 * 8, 0]),
      // A field of a later version is passed over.
      text(15, 'unknown'),
    ])
    const object = decodeProtobuf(envelope('v1', 'ConfigMap', raw), facts)
    expect(object).toMatchObject({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', labels: { app: 'web' } },
      binaryData: { b: 'AQID' },
      immutable: false,
    })
    expect(Object.keys(object['metadata'] as object)).toEqual(['name', 'labels'])
    expect(Object.entries(object['data'] as object)).toEqual([
      ['k', 'v'],
      ['__proto__', 'x'],
    ])
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })

  it('lifts inlined messages into their holder', () => {
    const source = Buffer.concat([
      field(1, text(1, '64Mi')),
      field(2, Buffer.concat([Buffer.from([8, 1]), text(3, 'http')])),
    ])
    expect(decodeProtobuf(envelope('v1', 'Volume', Buffer.concat([text(1, 'v'), field(2, source)])), facts)).toEqual({
      apiVersion: 'v1',
      kind: 'Volume',
      name: 'v',
      size: '64Mi',
      port: 'http',
    })
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['JSON', Buffer.from('{"kind":"ConfigMap"}')],
    ['a cut-off body', envelope('v1', 'ConfigMap', text(1, 'name')).subarray(0, 20)],
    ['an unknown kind', envelope('example.org/v1', 'Planet', Buffer.alloc(0))],
    ['field number 0', envelope('v1', 'ConfigMap', Buffer.from([0, 0]))],
  ])('answers %s with 400', (_what, bytes) => {
    expect(() => decodeProtobuf(bytes, facts)).toThrow(expect.objectContaining({ code: 400 }) as StatusError)
  })
})
