import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Facts } from '../../api/facts.ts'
import { createDecoder, decodeBody } from './decode.ts'
import type { FieldValidation } from './decode.ts'
import { findDuplicateFields, jsonDepth } from './duplicate-fields.ts'

const facts = JSON.parse(
  readFileSync(new URL('../../api/generated/facts.json', import.meta.url), 'utf8'),
) as unknown as Facts
const decoder = createDecoder(facts.definitions)

function decode(
  name: string,
  value: unknown,
  fieldValidation: FieldValidation = 'Strict',
): { value: Record<string, unknown>; warnings: string[] } {
  const kind = name.slice(name.lastIndexOf('.') + 1)
  return decodeBody({ decoder, definition: name, value, fieldValidation, version: 'v1', kind })
}
const deployment = (spec: unknown, fieldValidation?: FieldValidation): { value: unknown; warnings: string[] } =>
  decode('io.k8s.api.apps.v1.Deployment', { apiVersion: 'apps/v1', kind: 'Deployment', spec }, fieldValidation)
const container = (fields: object): unknown => ({ template: { spec: { containers: [fields] } } })
const prefix = 'Deployment in version "v1" cannot be handled as a Deployment: '

describe('what is kept', () => {
  it('keeps known fields and drops nulls and empty optional lists and maps', () => {
    const { value } = deployment({
      replicas: 0,
      paused: false,
      strategy: {},
      selector: { matchLabels: {} },
      template: { metadata: { creationTimestamp: null, labels: { a: null } }, spec: { containers: [], volumes: [] } },
    })
    expect(value).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      spec: {
        replicas: 0,
        paused: false,
        strategy: {},
        selector: {},
        template: { metadata: { labels: { a: '' } }, spec: { containers: [] } },
      },
    })
  })

  it('brings quantities and times to their canonical form', () => {
    const { value } = deployment(container({ name: 'c', resources: { requests: { cpu: 1, memory: '0.5Gi' } } }))
    expect(JSON.stringify(value)).toContain('{"cpu":"1","memory":"512Mi"}')
    const lease = decode('io.k8s.api.coordination.v1.Lease', {
      metadata: { deletionTimestamp: '2020-01-01T01:00:00.5+01:00' },
      spec: { renewTime: '2020-01-01T00:00:00.123456789Z' },
    })
    expect(lease.value).toEqual({
      metadata: { deletionTimestamp: '2020-01-01T00:00:00Z' },
      spec: { renewTime: '2020-01-01T00:00:00.123456Z' },
    })
  })

  it('keeps data under any key without touching a prototype', () => {
    const { value } = decode(
      'io.k8s.api.core.v1.ConfigMap',
      JSON.parse('{"__proto__":{"polluted":1},"data":{"__proto__":"x","constructor":"y"}}'),
      'Ignore',
    )
    expect(JSON.stringify(value)).toBe('{"data":{"__proto__":"x","constructor":"y"}}')
    expect(Object.getPrototypeOf(value['data'])).toBe(Object.prototype)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('does not change its input, and decoding again changes nothing', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), fc.integer(), (json, replicas) => {
        const input = { metadata: { annotations: { json } }, spec: { replicas, unknown: JSON.parse(json) as unknown } }
        const before = JSON.stringify(input)
        const once = decode('io.k8s.api.apps.v1.Deployment', input, 'Ignore').value
        expect(JSON.stringify(input)).toBe(before)
        expect(decode('io.k8s.api.apps.v1.Deployment', once).value).toEqual(once)
      }),
    )
  })

  it('never throws anything but a 400, whatever the body', () => {
    const names = Object.keys(facts.definitions)
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.jsonValue(), (name, value) => {
        try {
          decoder.decode(name, value)
        } catch (error) {
          expect(error).toHaveProperty('name', 'DecodeError')
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('what is refused, word for word', () => {
  it.each([
    [
      { replicas: '3' },
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      { replicas: 1.5 },
      'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      { replicas: 3e9 },
      'json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [[], 'json: cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec'],
    [
      { template: { metadata: { labels: { a: 1 } } } },
      'json: cannot unmarshal number into Go struct field ObjectMeta.spec.template.metadata.labels of type string',
    ],
    [
      container({ env: [{ name: 'A', value: true }] }),
      'json: cannot unmarshal bool into Go struct field EnvVar.spec.template.spec.containers.env.value of type string',
    ],
    [
      container({ resources: { limits: { cpu: 'much' } } }),
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      container({ livenessProbe: { httpGet: { port: true } } }),
      'json: cannot unmarshal bool into Go value of type int32',
    ],
    [
      { template: { metadata: { deletionTimestamp: 'soon' } } },
      'parsing time "soon" as "2006-01-02T15:04:05Z07:00": cannot parse "soon" as "2006"',
    ],
  ])('%j', (spec, message) => {
    expect(() => deployment(spec)).toThrow(prefix + message)
  })

  it('bad base64', () => {
    const secret = (data: string): unknown => decode('io.k8s.api.core.v1.Secret', { data: { a: data } })
    expect(() => secret('a*b=')).toThrow(/illegal base64 data at input byte 1$/)
    expect(() => secret('YQ')).toThrow(/illegal base64 data at input byte 0$/)
    expect(secret('YQ==')).toEqual({ value: { data: { a: 'YQ==' } }, warnings: [] })
  })

  it('unknown and duplicate fields, as asked for', () => {
    const spec = { foo: 1, template: { spec: { containers: [{ name: 'a' }, { bar: {} }] } } }
    const paths = ['unknown field "spec.foo"', 'unknown field "spec.template.spec.containers[1].bar"']
    expect(() => deployment(spec)).toThrow(`${prefix}strict decoding error: ${paths.join(', ')}`)
    expect(deployment(spec, 'Warn').warnings).toEqual(paths)
    expect(deployment(spec, 'Ignore').warnings).toEqual([])
    expect(JSON.stringify(deployment(spec, 'Ignore').value)).not.toContain('foo')
  })

  it('nesting without end', () => {
    let schema: unknown = {}
    for (let depth = 0; depth < 2000; depth += 1) schema = { not: schema }
    const name = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps'
    expect(() => decode(name, schema)).toThrow(/exceeded max depth/)
  })
})

describe('duplicate fields', () => {
  it('finds them with their paths', () => {
    const text = '{"a":1,"b":{"c":[1,{"d":"}\\"","d":2}]},"\\u0061":[]}'
    expect(findDuplicateFields(text)).toEqual(['duplicate field "b.c[1].d"', 'duplicate field "a"'])
  })

  it('finds none in what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(findDuplicateFields(JSON.stringify(value))).toEqual([])
      }),
    )
  })

  it('measures nesting up to a limit', () => {
    expect(jsonDepth('{"a":[{"b":"[[["}]}')).toBe(3)
    expect(jsonDepth('['.repeat(1_000_000), 100)).toBe(100)
  })
})
