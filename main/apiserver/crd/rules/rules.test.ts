import { describe, expect, it } from 'vitest'
import type { Schema } from '../structural-schema.ts'
import { applyRules } from './apply-rules.ts'
import { checkSchemaRules } from './check-rules.ts'
import { compileRules } from './compile-rules.ts'

type Rules = Schema['x-kubernetes-validations']

function failures(schema: Schema, value: unknown, old?: unknown): { errors: string[]; warnings: string[] } {
  const warnings: string[] = []
  const tree = compileRules(schema, false)
  if (tree === undefined) throw new Error('the schema has no rules')
  const errors = applyRules(tree, value, old, { warn: (text) => warnings.push(text) })
  return { errors: errors.map(String), warnings }
}

const replicas = (rules: Rules, more: Partial<Schema> = {}): Schema => ({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      'x-kubernetes-validations': rules,
      properties: {
        min: { type: 'integer' },
        max: { type: 'integer' },
        port: { 'x-kubernetes-int-or-string': true },
        'kebab-name': { type: 'string' },
        namespace: { type: 'string' },
        since: { type: 'string', format: 'date-time' },
        names: { type: 'array', items: { type: 'string' } },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        items: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['key'],
          items: {
            type: 'object',
            properties: {
              key: { type: 'string' },
              value: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self >= oldSelf' }] },
            },
          },
        },
        ...more.properties,
      },
    },
  },
})

describe('validation rules', () => {
  it.each<[string, object, string[]]>([
    ['self.min <= self.max', { min: 1, max: 2 }, []],
    ['self.min <= self.max', { min: 3, max: 2 }, ['spec: Invalid value: failed rule: self.min <= self.max']],
    ['!has(self.min) || self.min > 0', {}, []],
    ['self.port == 80 || self.port == "http"', { port: 'http' }, []],
    ['self.__kebab__dash__name == "x"', { 'kebab-name': 'x' }, ['spec: Invalid value: "object": rule compile error:']],
    ['self.kebab__dash__name == "x"', { 'kebab-name': 'x' }, []],
    ['self.__namespace__ == "x"', { namespace: 'x' }, []],
    ['self.since < timestamp("2030-01-01T00:00:00Z")', { since: '2024-01-01T00:00:00Z' }, []],
    [
      'self.names.all(n, n.startsWith("a"))',
      { names: ['a', 'b'] },
      ['spec: Invalid value: failed rule: self.names.all(n, n.startsWith("a"))'],
    ],
    ['self.labels.all(k, self.labels[k] != "")', { labels: { a: 'b' } }, []],
    ['self.min > 0', {}, ['spec: Invalid value: "object": no such key: min evaluating rule: self.min > 0']],
    [
      'self.min / self.max > 0',
      { min: 1, max: 0 },
      ['spec: Invalid value: "object": division by zero evaluating rule: self.min / self.max > 0'],
    ],
  ])('%s on %j', (rule, spec, expected) => {
    const { errors } = failures(replicas([{ rule }]), { spec })
    expect(errors.map((error, index) => error.slice(0, expected[index]?.length))).toEqual(expected)
  })

  it('have messages, reasons and paths', () => {
    const rules = [
      {
        rule: 'self.min <= self.max',
        messageExpression: '"min is " + string(self.min)',
        reason: 'FieldValueForbidden',
        fieldPath: '.min',
      },
      { rule: 'self.max < 2', message: 'max is too large', messageExpression: '"" + string(1 / 0)' },
    ]
    expect(failures(replicas(rules), { spec: { min: 3, max: 2 } }).errors).toEqual([
      'spec.min: Forbidden: min is 3',
      'spec: Invalid value: max is too large',
    ])
  })

  it('show scalars', () => {
    const schema: Schema = {
      type: 'object',
      properties: { size: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self < 5' }] } },
    }
    expect(failures(schema, { size: 7 }).errors).toEqual(['size: Invalid value: 7: failed rule: self < 5'])
  })

  it('compare with what was there before', () => {
    const immutable = replicas([{ rule: 'self.max == oldSelf.max', message: 'is immutable' }])
    expect(failures(immutable, { spec: { max: 1 } }).errors).toEqual([])
    expect(failures(immutable, { spec: { max: 2 } }, { spec: { max: 1 } }).errors).toEqual([
      'spec: Invalid value: is immutable',
    ])
    const optional = replicas([
      { rule: '!oldSelf.hasValue() || oldSelf.value().max == self.max', optionalOldSelf: true },
    ])
    expect(failures(optional, { spec: { max: 1 } }).errors).toEqual([])
    expect(failures(optional, { spec: { max: 2 } }, { spec: { max: 1 } }).errors).toHaveLength(1)
    const items = (...list: [string, number][]): object => ({
      spec: { items: list.map(([key, value]) => ({ key, value })) },
    })
    const grown = replicas([{ rule: 'true' }])
    expect(failures(grown, items(['b', 1], ['a', 2]), items(['a', 1], ['b', 1])).errors).toEqual([])
    expect(failures(grown, items(['a', 0], ['new', -5]), items(['a', 1])).errors).toEqual([
      'spec.items[0].value: Invalid value: 0: failed rule: self >= oldSelf',
    ])
  })

  it('do not refuse what was so before', () => {
    const stricter = replicas([{ rule: 'self.max < 5' }])
    const old = { spec: { max: 9 }, other: 1 }
    const { errors, warnings } = failures(stricter, { spec: { max: 9 }, other: 2 }, old)
    expect(errors).toEqual([])
    expect(warnings).toEqual(['spec: Invalid value: failed rule: self.max < 5'])
  })

  it('are stopped when they take too long', () => {
    const schema = replicas([{ rule: 'self.names.all(a, self.names.all(b, self.names.all(c, a + b + c != "x")))' }])
    const names = Array.from({ length: 200 }, (_, index) => `n${String(index)}`)
    const { errors } = failures(schema, { spec: { names } })
    expect(errors.join()).toContain('operation cancelled: actual cost limit exceeded')
  })
})

describe('rules of a definition', () => {
  const check = (rules: Rules, more: Partial<Schema> = {}): string[] =>
    checkSchemaRules('s', replicas(rules, more)).map(String)
  it.each<[NonNullable<Rules>[number], string]>([
    [{ rule: '' }, 's.properties[spec].x-kubernetes-validations[0].rule: Required value: rule is not specified'],
    [
      { rule: 'self.min > 0', message: 'a\nb' },
      's.properties[spec].x-kubernetes-validations[0].message: Invalid value: "a\\nb": message must not contain line breaks',
    ],
    [
      { rule: 'self.min >\n0' },
      's.properties[spec].x-kubernetes-validations[0].message: Required value: message must be specified if rule contains line breaks',
    ],
    [
      { rule: 'self.none > 0' },
      `s.properties[spec].x-kubernetes-validations[0].rule: Invalid value: "self.none > 0": compilation failed: ERROR: <input>:1:5: undefined field 'none'\n | self.none > 0\n | ....^`,
    ],
    [
      { rule: 'self.min' },
      's.properties[spec].x-kubernetes-validations[0].rule: Invalid value: "self.min": cel expression must evaluate to a bool',
    ],
    [
      { rule: 'self.min > 0', fieldPath: '.nope' },
      's.properties[spec].x-kubernetes-validations[0].fieldPath: Invalid value: ".nope": fieldPath must be a valid path: does not refer to a valid field',
    ],
    [
      { rule: 'self.min > 0', reason: 'Other' },
      's.properties[spec].x-kubernetes-validations[0].reason: Unsupported value: "Other": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"',
    ],
  ])('%j', (rule, error) => {
    expect(check([rule])).toEqual([error])
  })
  it('refuses transitions of items without identity', () => {
    const names = {
      type: 'array',
      maxItems: 5,
      items: { type: 'string', maxLength: 5, 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] },
    }
    expect(check([], { properties: { names } }).join()).toContain(
      'oldSelf cannot be used on the uncorrelatable portion of the schema within s.properties[spec].properties[names]',
    )
  })
  it('refuses rules that could take too long', () => {
    const nested = [{ rule: 'self.names.all(a, self.names.all(b, a == b || a != b))' }]
    expect(check(nested).join()).toContain('estimated rule cost exceeds budget by factor of more than 100x')
    const names = { type: 'array', maxItems: 10, items: { type: 'string', maxLength: 20 } }
    expect(check(nested, { properties: { names } })).toEqual([])
  })
})
