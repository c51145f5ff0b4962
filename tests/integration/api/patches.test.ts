// What a patch can do wrong: the body is none, it does not apply, or what it makes is no object of the type.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Api, openApi } from '../../harness/api.ts'
import { startControlPlane, type ControlPlane } from '../../harness/control-plane.ts'

let plane: ControlPlane
let api: Api
beforeAll(async () => {
  plane = await startControlPlane()
  api = await openApi(plane)
  await plane.ok('create deployment web --image=nginx --replicas=1')
})
afterAll(async () => {
  api.close()
  await plane.stop()
})

const web = '/apis/apps/v1/namespaces/default/deployments/web'
type Kind = 'json' | 'merge' | 'strategic'
type Case = [what: string, kind: Kind, patch: unknown, code: number, message: string | RegExp]

const notMap = (found: string): string =>
  `json: cannot unmarshal ${found} into Go value of type map[string]interface {}`
const notInt = 'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32'
const cases: Case[] = [
  ['a merge patch that is a list', 'merge', [], 400, `error decoding patch: ${notMap('array')}`],
  ['a strategic patch that is a list', 'strategic', [], 400, notMap('array')],
  [
    'a JSON patch that is an object',
    'json',
    {},
    400,
    'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
  ],
  [
    'an operation of the wrong type',
    'json',
    [{ op: 1 }],
    400,
    'error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string',
  ],
  [
    'an operation that fails',
    'json',
    [{ op: 'test', path: '/spec/replicas', value: 7 }],
    422,
    /^the server rejected our request due to an error in our request$/,
  ],
  [
    'a value of the wrong type',
    'merge',
    { spec: { replicas: 'x' } },
    422,
    /^ "" is invalid: patch: Invalid value: "\{\\"kind\\":\\"Deployment\\",[^]*\}": json: cannot unmarshal string into/,
  ],
  [
    'a value of the wrong type, by operation',
    'json',
    [{ op: 'replace', path: '/spec/replicas', value: 'x' }],
    422,
    new RegExp(`^ "" is invalid: patch: Invalid value: "\\{[^]*\\}": ${notInt}$`),
  ],
  ...(
    [
      [{ spec: { replicas: 'x' } }, 'map[spec:map[replicas:x]]', 'unrecognized type: int32'],
      [{ spec: [1, null] }, 'map[spec:[1 <nil>]]', 'cannot restore struct from: slice'],
      [{ metadata: { labels: 'x' } }, 'map[metadata:map[labels:x]]', 'cannot restore map from string'],
      [
        { metadata: { finalizers: { a: 1 } } },
        'map[metadata:map[finalizers:map[a:1]]]',
        'cannot restore slice from map',
      ],
    ] as const
  ).map(([patch, shown, why]): Case => [
    `${shown}, strategic`,
    'strategic',
    patch,
    422,
    ` "" is invalid: patch: Invalid value: "${shown}": ${why}`,
  ]),
  ['another kind', 'merge', { kind: 'Pod' }, 422, /no kind "Pod" is registered for version "apps\/v1" in scheme/],
  ['another name', 'merge', { metadata: { name: 'other' } }, 400, /the name of the object \(other\) does not match/],
]

describe('a patch is refused', () => {
  it.each(cases)('%s', async (_, kind, patch, code, message) => {
    const { body } = await api.patch<{ code: number; message: string }>(web, kind, patch)
    expect(body.code).toBe(code)
    if (typeof message === 'string') expect(body.message).toBe(message)
    else expect(body.message).toMatch(message)
  })

  it.each(['merge', 'strategic'] as const)(
    'for fields unknown or given twice, when it is asked to be strict: %s',
    async (kind) => {
      const patch = '{"spec":{"paused":true,"paused":true,"nothing":1}}'
      const problems = 'strict decoding error: duplicate field "spec.paused", unknown field "spec.nothing"'
      const strict = await api.patch<{ code: number; message: string }>(`${web}?fieldValidation=Strict`, kind, patch)
      expect(strict.body.code).toBe(422)
      expect(strict.body.message).toContain(problems)
      const warned = await api.patch(`${web}?dryRun=All`, kind, patch)
      expect(warned.code).toBe(200)
      expect(warned.headers['warning']).toContain('duplicate field')
      expect(warned.headers['warning']).toContain('unknown field')
    },
  )

  it('for members that no operation has, when it is asked to be strict', async () => {
    const patch = '[{"op":"test","op":"add","path":"/spec/paused","value":true,"why":"x"}]'
    const { body } = await api.patch<{ code: number; message: string }>(`${web}?fieldValidation=Strict`, 'json', patch)
    expect(body.code).toBe(422)
    expect(body.message).toContain('json patch duplicate field "[0].op", json patch unknown field "[0].why"')
  })
})

describe('a strategic patch', () => {
  it('keeps the type of what it changes, whatever it says of its own', async () => {
    const scale = { kind: 'Deployment', spec: { replicas: 2 } }
    expect(await api.patch(`${web}/scale`, 'strategic', scale)).toMatchObject({ code: 200, body: { kind: 'Scale' } })
    const named = { apiVersion: 'apps/v1beta1', kind: 'Pod', metadata: { labels: { a: 'b' } } }
    expect(await api.patch(web, 'strategic', named)).toMatchObject({
      code: 200,
      body: { apiVersion: 'apps/v1', kind: 'Deployment', spec: { replicas: 2 } },
    })
  })
})

describe('replicas applied through scale', () => {
  interface Owned {
    metadata: { managedFields: { manager: string; operation: string; subresource?: string; fieldsV1: object }[] }
    spec: { replicas: number }
  }
  const apply = (path: string, manager: string, body: object, force = false) =>
    api.patch<{ message: string }>(`${path}?fieldManager=${manager}&force=${String(force)}`, 'apply', body)

  it('are owned by who applied them, and by nobody else', async () => {
    const scaled = web.replace('web', 'scaled')
    const labels = { app: 'scaled' }
    const spec = {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    }
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'scaled' } }
    await apply(scaled, 'author', { ...deployment, spec: { ...spec, replicas: 1 } })
    const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', spec: { replicas: 3 } }
    const refused = await apply(`${scaled}/scale`, 'scaler', scale)
    expect(refused).toMatchObject({
      code: 409,
      body: { message: 'Apply failed with 1 conflict: conflict with "author": .spec.replicas' },
    })
    const taken = await apply(`${scaled}/scale`, 'scaler', scale, true)
    expect(taken).toMatchObject({ code: 200, body: { kind: 'Scale', spec: { replicas: 3 } } })
    const { body } = await api.get<Owned>(scaled)
    const owned = (manager: string) => body.metadata.managedFields.find((entry) => entry.manager === manager)
    expect(owned('scaler')).toMatchObject({
      operation: 'Apply',
      subresource: 'scale',
      fieldsV1: { 'f:spec': { 'f:replicas': {} } },
    })
    expect(JSON.stringify(owned('author'))).not.toContain('f:replicas')
    await apply(scaled, 'author', { ...deployment, spec })
    expect((await api.get<Owned>(scaled)).body.spec.replicas).toBe(3)
    const negative = await apply(`${scaled}/scale`, 'scaler', { ...scale, spec: { replicas: -1 } })
    expect(negative.code).toBe(422)
  })
})
