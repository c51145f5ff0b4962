// What writes promise: validation of fields, dry runs, names, finalizers, deletion, patches and their directives, ownership of fields.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Api, openApi } from '../../harness/api.ts'
import { startControlPlane, type ControlPlane } from '../../harness/control-plane.ts'

interface Owner {
  manager: string
  operation: string
  subresource?: string
  fieldsV1: Record<string, unknown>
}
interface Thing {
  code?: number
  message?: string
  metadata: {
    name: string
    uid: string
    generation?: number
    resourceVersion: string
    deletionTimestamp?: string
    finalizers?: string[]
    managedFields?: Owner[]
  }
  data?: Record<string, string>
  spec?: Record<string, unknown>
}

let plane: ControlPlane
let api: Api
beforeAll(async () => {
  plane = await startControlPlane()
  api = await openApi(plane)
})
afterAll(async () => {
  api.close()
  await plane.stop()
})

const maps = '/api/v1/namespaces/default/configmaps'
const deployments = '/apis/apps/v1/namespaces/default/deployments'
const map = (name: string, data: Record<string, string> = {}) => ({ metadata: { name }, data })
const exists = async (path: string): Promise<boolean> => (await api.get(path)).code === 200

describe('creating', () => {
  it('warns about unknown and repeated fields, or refuses them', async () => {
    const body = '{"metadata":{"name":"NAME"},"datum":{},"data":{"a":"1","a":"2"}}'
    const send = (name: string, validation: string) =>
      api.post<Thing>(`${maps}?fieldValidation=${validation}`, body.replace('NAME', name))
    const warned = await send('warned', 'Warn')
    expect(warned.code).toBe(201)
    expect([warned.headers['warning']].flat().join()).toBe(
      '299 - "unknown field \\"datum\\"", 299 - "duplicate field \\"data.a\\""',
    )
    const ignored = await send('ignored', 'Ignore')
    expect([ignored.code, ignored.headers['warning']]).toEqual([201, undefined])
    expect(ignored.body.data).toEqual({ a: '2' })
    const strict = await send('strict', 'Strict')
    expect(strict.code).toBe(400)
    expect(strict.body.message).toMatch(/strict decoding error: .*duplicate field "data\.a".*/)
    expect(strict.body.message).toMatch(/unknown field "datum"/)
  })

  it('tries everything and stores nothing in a dry run', async () => {
    const { code, body } = await api.post<Thing>(`${maps}?dryRun=All`, map('dry'))
    expect([code, body.metadata.uid]).toEqual([201, expect.stringMatching(/^[0-9a-f-]{36}$/)])
    expect(await exists(`${maps}/dry`)).toBe(false)
    await api.post(maps, map('wet', { a: '1' }))
    const changed = await api.patch<Thing>(`${maps}/wet?dryRun=All`, 'merge', { data: { a: '2' } })
    expect(changed.body.data).toEqual({ a: '2' })
    expect((await api.delete(`${maps}/wet?dryRun=All`)).code).toBe(200)
    expect((await api.delete(`${maps}?dryRun=All&fieldSelector=metadata.name%3Dwet`)).code).toBe(200)
    expect((await api.get<Thing>(`${maps}/wet`)).body.data).toEqual({ a: '1' })
  })

  it('makes names that nobody has', async () => {
    const made = await Promise.all(
      Array.from({ length: 30 }, () => api.post<Thing>(maps, { metadata: { generateName: 'made-' } })),
    )
    expect(new Set(made.map(({ body }) => body.metadata.name)).size).toBe(30)
    for (const { body } of made) expect(body.metadata.name).toMatch(/^made-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  })

  it('reads YAML', async () => {
    const body = 'metadata:\n  name: yaml\ndata:\n  a: "1"\n'
    expect((await api.post(maps, body, { 'content-type': 'application/yaml' })).code).toBe(201)
  })
})

describe('deleting', () => {
  it('waits for finalizers', async () => {
    await api.post(maps, { metadata: { name: 'held', finalizers: ['example.org/hold'] } })
    const deleted = await api.delete<Thing>(`${maps}/held`)
    expect([deleted.code, typeof deleted.body.metadata.deletionTimestamp]).toEqual([200, 'string'])
    const again = await api.post<Thing>(maps, map('held'))
    expect(again.body).toMatchObject({
      code: 409,
      message: 'object is being deleted: configmaps "held" already exists',
    })
    expect((await api.patch(`${maps}/held`, 'merge', { metadata: { finalizers: null } })).code).toBe(200)
    expect(await exists(`${maps}/held`)).toBe(false)
  })

  it('puts the policy of dependents into finalizers', async () => {
    for (const [policy, finalizer, code] of [
      ['Foreground', 'foregroundDeletion', 202],
      ['Orphan', 'orphan', 200],
    ] as const) {
      const name = policy.toLowerCase()
      await api.post(maps, { metadata: { name, finalizers: ['example.org/hold'] } })
      const { code: answered, body } = await api.delete<Thing>(`${maps}/${name}`, { propagationPolicy: policy })
      expect([answered, body.metadata.finalizers]).toEqual([code, ['example.org/hold', finalizer]])
      await api.patch(`${maps}/${name}`, 'merge', { metadata: { finalizers: null } })
    }
  })

  it('deletes what selectors choose', async () => {
    for (const name of ['s1', 's2', 's3'])
      await api.post(maps, { metadata: { name, labels: { sel: name === 's3' ? 'no' : 'yes' } } })
    const { body } = await api.delete<{ kind: string; items: unknown[] }>(`${maps}?labelSelector=sel%3Dyes`)
    expect([body.kind, body.items.length]).toEqual(['ConfigMapList', 2])
    expect([await exists(`${maps}/s1`), await exists(`${maps}/s3`)]).toEqual([false, true])
  })
})

const deployment = (name: string) => ({
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        containers: [
          {
            name: 'one',
            image: 'i:1',
            env: [
              { name: 'A', value: '1' },
              { name: 'B', value: '2' },
            ],
          },
          { name: 'two', image: 'i:1' },
        ],
        tolerations: [{ key: 'a', operator: 'Exists' }],
      },
    },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } },
  },
})

describe('strategic patches', () => {
  const pod = async (name: string, spec: object): Promise<Record<string, never>> => {
    const answer = await api.patch<Thing>(`${deployments}/${name}`, 'strategic', { spec: { template: { spec } } })
    expect(answer.code, answer.text).toBe(200)
    return (answer.body.spec?.['template'] as { spec: Record<string, never> }).spec
  }

  it('merge lists by key, delete, replace and order', async () => {
    await api.post(deployments, deployment('lists'))
    const names = (spec: object): string[] =>
      (spec as { containers: { name: string }[] }).containers.map(({ name }) => name)
    const merged = await pod('lists', {
      containers: [
        { name: 'two', image: 'i:2' },
        { name: 'three', image: 'i:1' },
      ],
    })
    expect(names(merged).sort()).toEqual(['one', 'three', 'two'])
    expect(names(await pod('lists', { containers: [{ $patch: 'delete', name: 'three' }] }))).toEqual(['one', 'two'])
    const ordered = await pod('lists', {
      '$setElementOrder/containers': [{ name: 'two' }, { name: 'one' }],
      containers: [],
    })
    expect(names(ordered)).toEqual(['two', 'one'])
    const replaced = await pod('lists', { containers: [{ $patch: 'replace' }, { name: 'only', image: 'i:3' }] })
    expect(names(replaced)).toEqual(['only'])
  })

  it('keep only the keys they are told to', async () => {
    await api.post(deployments, deployment('keys'))
    const { body } = await api.patch<Thing>(`${deployments}/keys`, 'strategic', {
      spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
    })
    expect(body.spec?.['strategy']).toEqual({ type: 'Recreate' })
  })

  it('take values out of plain lists', async () => {
    await api.post(maps, { metadata: { name: 'plain', finalizers: ['example.org/a', 'example.org/b'] } })
    const { body } = await api.patch<Thing>(`${maps}/plain`, 'strategic', {
      metadata: { '$deleteFromPrimitiveList/finalizers': ['example.org/a'] },
    })
    expect(body.metadata.finalizers).toEqual(['example.org/b'])
    await api.patch(`${maps}/plain`, 'merge', { metadata: { finalizers: null } })
  })

  it('are refused for custom resources', async () => {
    const answer = await api.patch('/apis/lab.orrery.dev/v1alpha1/labs/lab', 'strategic', {})
    expect([404, 415, 200]).toContain(answer.code)
  })
})

describe('applying', () => {
  const apply = (name: string, manager: string, data: Record<string, string>, query = '') =>
    api.patch<Thing>(`${maps}/${name}?fieldManager=${manager}${query}`, 'apply', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      ...map(name, data),
    })

  it('creates, shares, takes away and refuses to overwrite', async () => {
    expect((await apply('owned', 'one', { a: '1', b: '1' })).code).toBe(201)
    expect((await apply('owned', 'two', { a: '1', c: '2' })).code).toBe(200)
    const refused = await apply('owned', 'two', { a: '2', b: '2' })
    expect(refused.body).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\n- .data.b',
      details: {
        causes: [
          { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a' },
          { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.b' },
        ],
      },
    })
    // What only one applier had and no longer says is gone; what both had stays.
    expect((await apply('owned', 'one', { b: '1' })).body.data).toEqual({ a: '1', b: '1', c: '2' })
    expect((await apply('owned', 'two', {})).body.data).toEqual({ b: '1' })
    expect((await apply('owned', 'two', { b: '9' }, '&force=true')).body.data).toEqual({ b: '9' })
    const { metadata } = (await api.get<Thing>(`${maps}/owned`)).body
    expect(metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`)).toEqual(['two Apply'])
  })

  it('knows updates and subresources as owners of their own', async () => {
    await api.post(`${deployments}?fieldManager=creator`, deployment('owners'))
    const status = { status: { conditions: [{ type: 'Mine', status: 'True', reason: 'X', message: '' }] } }
    await api.patch(`${deployments}/owners/status?fieldManager=prober`, 'merge', status)
    const { body } = await api.get<Thing>(`${deployments}/owners`)
    const owners = body.metadata.managedFields?.map(({ manager, operation, subresource = '' }) => [
      manager,
      operation,
      subresource,
    ])
    expect(owners).toContainEqual(['creator', 'Update', ''])
    expect(owners).toContainEqual(['prober', 'Update', 'status'])
    const conflict = await api.patch<Thing>(`${deployments}/owners?fieldManager=applier`, 'apply', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'owners' },
      spec: { replicas: 5, selector: { matchLabels: { app: 'owners' } } },
    })
    expect(conflict.body.message).toBe(
      'Apply failed with 1 conflict: conflict with "creator" using apps/v1: .spec.replicas',
    )
  })

  it('changes nothing when nothing changes', async () => {
    const first = await apply('same', 'one', { a: '1' })
    const second = await apply('same', 'one', { a: '1' })
    expect(second.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion)
  })
})

describe('generation', () => {
  it('counts changes of the spec only', async () => {
    const { body } = await api.post<Thing>(deployments, deployment('counted'))
    expect(body.metadata.generation).toBe(1)
    const labelled = await api.patch<Thing>(`${deployments}/counted`, 'merge', { metadata: { labels: { a: 'b' } } })
    expect(labelled.body.metadata.generation).toBe(1)
    const scaled = await api.patch<Thing>(`${deployments}/counted`, 'merge', { spec: { replicas: 3 } })
    expect(scaled.body.metadata.generation).toBe(2)
    const status = await api.patch<Thing>(`${deployments}/counted/status`, 'merge', { spec: { replicas: 9 } })
    expect([status.body.metadata.generation, status.body.spec?.['replicas']]).toEqual([2, 3])
  })
})
