// Random objects of a kind, from the same facts the server has: mostly of the right types, with values that are known to be awkward.
import fc from 'fast-check'
import type { Facts, TypeFact } from '../../../common/api/facts.ts'
import facts from '../../../common/api/generated/facts.json' with { type: 'json' }

const { definitions } = facts as unknown as Facts

const texts = fc.oneof(
  fc.constantFrom(
    ...[
      '',
      'a',
      'web',
      'example.org/x',
      'A_b',
      'x'.repeat(300),
      '../..',
      '__proto__',
      'constructor',
      '10.96.0.99',
      '::1',
    ],
    ...['RollingUpdate', 'Recreate', 'Always', 'Never', 'ClusterIP', 'NodePort', 'ExternalName', 'Exists', 'In', 'TCP'],
    ...[
      '100m',
      '1Gi',
      '-1',
      '50%',
      '*/5 * * * *',
      'Europe/Paris',
      '2026-01-01T00:00:00Z',
      '$(A)',
      '\u0000',
      '(a+)+$',
      '\ud800',
    ],
  ),
  fc.string({ maxLength: 8 }),
)
const integers = fc.constantFrom(0, 1, -1, 2, 80, 443, 65536, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, Number.MAX_SAFE_INTEGER)
const scalars: Record<Extract<TypeFact, string>, fc.Arbitrary<unknown>> = {
  string: texts,
  bytes: fc.constantFrom('', 'AAEC', 'not base64!'),
  time: fc.constantFrom('2026-01-01T00:00:00Z', 'yesterday', ''),
  'micro-time': fc.constantFrom('2026-01-01T00:00:00.000000Z', 'never'),
  quantity: fc.constantFrom('1', '100m', '1Gi', '-5', '1e99', 'much', 3),
  boolean: fc.boolean(),
  number: fc.oneof(integers, fc.double({ noNaN: true, noDefaultInfinity: true })),
  int32: integers,
  int64: integers,
  'int-or-string': fc.oneof(integers, texts),
  any: fc.jsonValue({ maxDepth: 2 }),
}
const wrong: fc.Arbitrary<unknown> = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constant(null))

const known = new Map<string, fc.Arbitrary<unknown>>()

function valueOf(type: TypeFact, depth: number): fc.Arbitrary<unknown> {
  const key = `${JSON.stringify(type)} ${String(depth)}`
  let arbitrary = known.get(key)
  if (arbitrary === undefined) {
    arbitrary = fc.oneof({ weight: 500, arbitrary: rightValue(type, depth) }, { weight: 1, arbitrary: wrong })
    known.set(key, arbitrary)
  }
  return arbitrary
}

function rightValue(type: TypeFact, depth: number): fc.Arbitrary<unknown> {
  if (typeof type === 'string') return scalars[type]
  if ('array' in type) return depth <= 0 ? fc.constant([]) : fc.array(valueOf(type.array, depth - 1), { maxLength: 2 })
  if ('map' in type)
    return depth <= 0 ? fc.constant({}) : fc.dictionary(texts, valueOf(type.map, depth - 1), { maxKeys: 2 })
  const { is, fields = {} } = definitions[type.ref] ?? {}
  if (is !== undefined) return rightValue(is, depth)
  if (depth <= 0) return fc.constant({})
  const required = Object.keys(fields).filter((name) => fields[name]?.required === true || name === 'spec')
  return fc
    .tuple(
      fc.subarray(required, { minLength: Math.floor(required.length / 2) }),
      fc.subarray(Object.keys(fields), { maxLength: Math.min(4, Object.keys(fields).length) }),
    )
    .chain(([some, others]) =>
      fc.record(
        Object.fromEntries(
          [...new Set([...some, ...others])].map((name) => [name, valueOf(fields[name]?.type ?? 'any', depth - 1)]),
        ),
      ),
    )
}

/** The body of an object of this definition ("io.k8s.api.core.v1.Pod"), without its identity. */
export const randomObject = (definition: string): fc.Arbitrary<Record<string, unknown>> =>
  rightValue({ ref: definition }, 7) as fc.Arbitrary<Record<string, unknown>>
