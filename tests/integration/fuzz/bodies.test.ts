// Bodies that are almost right, in every format: valid encodings of objects with bytes changed, cut or repeated, and owners' records
// that nobody could have written. The answer is a 4xx or the object as it came out, never a 500, and no request takes long.
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeCbor } from '../../../main/apiserver/cbor/encode.ts'
import { protobufEncoder } from '../../../main/apiserver/protobuf/encoder.ts'
import { type Answer, type Api, openApi } from '../../harness/api.ts'
import { startControlPlane, type ControlPlane } from '../../harness/control-plane.ts'
import { randomObject } from './random-objects.ts'

let plane: ControlPlane
let api: Api
beforeAll(async () => {
  plane = await startControlPlane()
  api = await openApi(plane)
  // Pods are refused until their account is there.
  await plane.ok('wait --for=create serviceaccount/default --timeout=60s')
})
afterAll(async () => {
  api.close()
  await plane.stop()
})

const seed = Number(process.env['FUZZ_SEED'] ?? '20260101')
const runs = Number(process.env['FUZZ_RUNS'] ?? '150')
const settings = { seed, numRuns: runs, endOnFailure: true }
const pods = '/api/v1/namespaces/default/pods'
const maps = '/api/v1/namespaces/default/configmaps'

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'mutant', labels: { a: 'b' }, annotations: { note: 'hello' } },
  spec: {
    containers: [{ name: 'main', image: 'x', resources: { limits: { cpu: '1' } }, ports: [{ containerPort: 80 }] }],
    nodeSelector: { disk: 'ssd' },
    tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 3 }],
  },
}

const formats: Record<string, (object: typeof pod) => Buffer> = {
  'application/vnd.kubernetes.protobuf': (object) => protobufEncoder().object(object),
  'application/cbor': (object) => Buffer.from(encodeCbor(object)),
  'application/json': (object) => Buffer.from(JSON.stringify(object)),
  'application/yaml': () =>
    Buffer.from(
      'apiVersion: v1\nkind: Pod\nmetadata: &m {name: mutant}\nspec:\n  containers:\n  - {name: a, image: "x"}\n',
    ),
}

interface Mutation {
  at: number
  how: 'flip' | 'cut' | 'repeat' | 'insert'
  value: number
}
const mutations = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 0.999, noNaN: true }),
    how: fc.constantFrom('flip', 'cut', 'repeat', 'insert'),
    value: fc.oneof(fc.nat(255), fc.constantFrom(0, 0x7f, 0x80, 0xff, 0x22, 0x7b, 0x5b)),
  }),
  { minLength: 1, maxLength: 4 },
)

function mutated(bytes: Buffer, changes: readonly Mutation[]): Buffer {
  let result: Buffer = Buffer.from(bytes)
  for (const { at, how, value } of changes) {
    const index = Math.floor(at * result.length)
    if (how === 'flip') result[index] = (result[index] ?? 0) ^ value
    else if (how === 'cut') result = result.subarray(0, index)
    else if (how === 'repeat')
      result = Buffer.concat([result.subarray(0, index), result.subarray(Math.max(0, index - 20))])
    else result = Buffer.concat([result.subarray(0, index), Buffer.from([value]), result.subarray(index)])
  }
  return result
}

/** What upstream answers with 500 to an apply configuration that its schema cannot read. */
const untyped = /"failed to create typed patch object /

function fine({ code, text }: Answer, what: string): void {
  if (untyped.test(text)) return
  expect(code, `${what}: ${text.slice(0, 400)}`).toBeLessThan(500)
}

describe(`almost right (FUZZ_SEED=${String(seed)})`, () => {
  it.each(Object.keys(formats))('bodies in %s', async (format) => {
    const whole = formats[format]?.(pod) ?? Buffer.alloc(0)
    const headers = { 'content-type': format }
    expect((await api.call('POST', `${pods}?dryRun=All`, { headers, body: whole })).code).toBe(201)
    await fc.assert(
      fc.asyncProperty(mutations, async (changes) => {
        const body = mutated(whole, changes)
        fine(await api.call('POST', `${pods}?dryRun=All`, { headers, body }), body.toString('base64'))
      }),
      settings,
    )
  })

  it('random objects say the same in CBOR as in JSON', async () => {
    await fc.assert(
      fc.asyncProperty(randomObject('io.k8s.api.core.v1.Pod'), async (body) => {
        const object = { ...body, apiVersion: 'v1', kind: 'Pod', metadata: { name: 'same' } } as unknown as typeof pod
        // What JSON cannot say, CBOR is not asked to.
        const plain = JSON.parse(JSON.stringify(object)) as typeof pod
        const [json, cbor] = await Promise.all(
          ['application/json', 'application/cbor'].map((format) =>
            api.call<{ message?: string }>('POST', `${pods}?dryRun=All`, {
              headers: { 'content-type': format },
              body: formats[format]?.(plain),
            }),
          ),
        )
        fine(json as Answer, 'JSON')
        fine(cbor as Answer, 'CBOR')
        expect(cbor?.code, `${String(json?.body.message)}\n${String(cbor?.body.message)}`).toBe(json?.code)
      }),
      settings,
    )
  })

  it('records of ownership', async () => {
    const path = fc.constantFrom(
      ...[
        'f:',
        '.',
        'k:',
        'v:',
        'i:',
        'x:y',
        'f:data',
        'k:{"name":1}',
        'k:{',
        'v:"a"',
        'v:{',
        'i:-1',
        'i:0',
        '__proto__',
      ],
    )
    const fields: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 4 }, fc.constant({}), fc.dictionary(path, tie('tree'), { maxKeys: 3 })),
    })).tree
    const entry = fc.record(
      {
        manager: fc.constantFrom('', 'a', 'x'.repeat(200)),
        operation: fc.constantFrom('Apply', 'Update', '', 'Steal'),
        apiVersion: fc.constantFrom('v1', 'v9', '', 'apps/v1'),
        time: fc.constantFrom('2026-01-01T00:00:00Z', null),
        fieldsType: fc.constantFrom('FieldsV1', '', 'FieldsV9'),
        fieldsV1: fc.oneof(fields, fc.constantFrom(null, [], 'x', 1)),
        subresource: fc.constantFrom('', 'status', 'none'),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 3 }), async (managedFields) => {
        const metadata = { name: 'owned', managedFields }
        const what = JSON.stringify(managedFields)
        fine(await api.post(maps, { metadata, data: { a: 'b' } }), what)
        fine(await api.put(`${maps}/owned`, { metadata, data: { a: 'c' } }), what)
        fine(await api.patch(`${maps}/owned`, 'merge', { metadata: { managedFields } }), what)
        const apply = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'owned' }, data: { a: 'd' } }
        fine(await api.patch(`${maps}/owned?fieldManager=f&force=true`, 'apply', apply), what)
        fine(await api.delete(`${maps}/owned`), what)
      }),
      settings,
    )
  })

  it('patches of the four languages with nonsense in them', async () => {
    await plane.ok('create deployment fuzzed --image=x')
    const target = '/apis/apps/v1/namespaces/default/deployments/fuzzed'
    const key = fc.constantFrom(
      ...[
        '$patch',
        '$retainKeys',
        '$setElementOrder/containers',
        '$deleteFromPrimitiveList/finalizers',
        'spec',
        'template',
      ],
      ...[
        'containers',
        'name',
        'metadata',
        'labels',
        '__proto__',
        '$setElementOrder/none',
        'strategy',
        'ports',
        'containerPort',
      ],
    )
    const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom<unknown>('delete', 'replace', 'merge', 'x', '', 1, -1, null, true, 1e300, []),
        fc.dictionary(key, tie('value'), { maxKeys: 3 }),
        fc.array(tie('value'), { maxLength: 3 }),
      ),
    })).value
    const pointer = fc.constantFrom(
      ...[
        '',
        '/',
        '/spec',
        '/spec/template/spec/containers/-',
        '/spec/template/spec/containers/0',
        '/metadata/labels/a~1b',
      ],
      ...[
        '/spec/replicas',
        '/__proto__/x',
        '/spec/template/spec/containers/99999999999',
        '/metadata/~2',
        'spec',
        '/metadata/name',
      ],
    )
    const operation = fc.record(
      {
        op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'none', ''),
        path: pointer,
        from: pointer,
        value,
      },
      { requiredKeys: ['op', 'path'] },
    )
    await fc.assert(
      fc.asyncProperty(value, fc.array(operation, { maxLength: 4 }), async (body, operations) => {
        const what = JSON.stringify([body, operations])
        const dry = `${target}?dryRun=All&fieldManager=f`
        fine(await api.patch(dry, 'merge', { spec: body }), what)
        fine(await api.patch(dry, 'strategic', { spec: { template: { spec: body } } }), what)
        fine(await api.patch(dry, 'strategic', body ?? 'null'), what)
        fine(await api.patch(dry, 'json', operations), what)
        const config = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'fuzzed' }, spec: body }
        fine(await api.patch(`${dry}&force=true`, 'apply', config), what)
        fine(await api.patch(`${target}/scale?dryRun=All`, 'merge', { spec: body }), what)
        fine(await api.patch(`${target}/status?dryRun=All`, 'strategic', { status: body }), what)
      }),
      settings,
    )
  })

  it('bodies that say they are compressed', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    const bomb = gzipSync(Buffer.alloc(64 << 20, 0x20))
    for (const body of [bomb, gzipSync(Buffer.from('{}')), Buffer.from('{}')])
      fine(await api.call('POST', maps, { headers, body }), 'gzip')
  })
})

describe('long parameters', () => {
  it('are understood as far as clients need them', async () => {
    const values = Array.from({ length: 20_000 }, (_, index) => `v${String(index)}`).join(',')
    expect((await api.get(`${maps}?labelSelector=a%20in%20(${values})`)).code).toBe(200)
  })

  it('are answered, or refused as too long', async () => {
    const long = [
      `${maps}?labelSelector=${Array.from({ length: 2000 }, (_, index) => `k${String(index)}!=v`).join(',')}`,
      `${maps}?fieldSelector=${'metadata.name!=x,'.repeat(500)}metadata.name!=y`,
      `${maps}?${'limit=1&'.repeat(1000)}`,
      `${maps}?fieldManager=${'x'.repeat(5000)}`,
      `/api/v1/namespaces/${'x'.repeat(5000)}/pods`,
      `${maps}?labelSelector=a in (${Array.from({ length: 5000 }, (_, index) => `v${String(index)}`).join(',')})`.replaceAll(
        ' ',
        '%20',
      ),
    ]
    for (const path of long) {
      const { code } = await api.get(path).catch(() => ({ code: 431 }))
      expect([200, 400, 404, 414, 422, 431]).toContain(code)
    }
  })
})
