import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLogger } from '../../../common/machinery/logger.ts'
import type { Attributes } from '../auth/authorizer.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { judge } from './judge.ts'
import { openAuditLog } from './log-file.ts'
import { policyProblems, type Policy } from './policy.ts'

const user = { name: 'alice', groups: ['dev'] }
const pods: Attributes = {
  user,
  verb: 'get',
  group: '',
  resource: 'pods',
  subresource: 'log',
  namespace: 'shop',
  name: 'p',
}
const health: Attributes = { user, verb: 'get', path: '/healthz/ping' }

describe('a policy', () => {
  it.each<[string, Policy['rules'], Attributes, string | undefined]>([
    ['no rule', [], pods, undefined],
    ['None', [{ level: 'None' }], pods, undefined],
    [
      'the first that fits',
      [{ level: 'None', users: ['bob'] }, { level: 'Request' }, { level: 'Metadata' }],
      pods,
      'Request',
    ],
    ['a group', [{ level: 'Metadata', userGroups: ['dev'] }], pods, 'Metadata'],
    ['a verb that differs', [{ level: 'Metadata', verbs: ['list'] }], pods, undefined],
    [
      'a resource without its subresource',
      [{ level: 'Metadata', resources: [{ resources: ['pods'] }] }],
      pods,
      undefined,
    ],
    ['a subresource', [{ level: 'Metadata', resources: [{ resources: ['pods/log'] }] }], pods, 'Metadata'],
    ['any subresource', [{ level: 'Metadata', resources: [{ resources: ['pods/*'] }] }], pods, 'Metadata'],
    ['a subresource of any', [{ level: 'Metadata', resources: [{ resources: ['*/log'] }] }], pods, 'Metadata'],
    ['another group', [{ level: 'Metadata', resources: [{ group: 'apps' }] }], pods, undefined],
    ['another name', [{ level: 'Metadata', resources: [{ resources: ['*'], resourceNames: ['q'] }] }], pods, undefined],
    ['a namespace', [{ level: 'Metadata', namespaces: ['shop'] }], pods, 'Metadata'],
    ['resources asked of a path', [{ level: 'Metadata', namespaces: [''] }], health, undefined],
    ['a path by prefix', [{ level: 'Metadata', nonResourceURLs: ['/healthz*'] }], health, 'Metadata'],
    ['paths asked of a resource', [{ level: 'Metadata', nonResourceURLs: ['*'] }], pods, undefined],
  ])('decides by %s', (_what, rules, attributes, level) => {
    expect(judge({ rules }, attributes)?.level).toBe(level)
  })

  it('says all that is wrong with a file', () => {
    expect(
      policyProblems({
        apiVersion: 'audit.k8s.io/v1',
        kind: 'Policy',
        omitStages: ['Later'],
        rules: [{ level: 'All' }, { level: 'None', nonResourceURLs: ['x'], namespaces: ['a'] }],
      }),
    ).toHaveLength(4)
    expect(policyProblems({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'None' }] })).toEqual([])
    expect(policyProblems(null)).toHaveLength(1)
  })
})

describe('audit events', () => {
  let server: TestServer
  const events: Record<string, unknown>[] = []
  beforeAll(async () => {
    const policy: Policy = {
      omitStages: ['RequestReceived'],
      omitManagedFields: true,
      rules: [
        { level: 'RequestResponse', resources: [{ group: '', resources: ['configmaps'] }], users: ['admin'] },
        { level: 'Metadata', nonResourceURLs: ['/version'] },
      ],
    }
    server = await startTestServer({
      settings: {
        audit: { policy, sink: (line) => events.push(JSON.parse(line) as Record<string, unknown>) },
      },
    })
  })
  afterAll(() => server.close())

  const eventsOf = async (act: () => Promise<unknown>): Promise<Record<string, unknown>[]> => {
    events.length = 0
    await act()
    await expect.poll(() => events.length).toBeGreaterThan(0)
    return [...events]
  }

  it('hold who did what, the objects without their managed fields, and the decision', async () => {
    const [event] = await eventsOf(() =>
      server.call('/api/v1/namespaces/default/configmaps?fieldManager=me', {
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'seen' }, data: { a: '1' } },
        headers: { 'user-agent': 'tester/1' },
      }),
    )
    expect(event).toMatchObject({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: 'RequestResponse',
      stage: 'ResponseComplete',
      requestURI: '/api/v1/namespaces/default/configmaps?fieldManager=me',
      verb: 'create',
      user: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
      userAgent: 'tester/1',
      objectRef: { resource: 'configmaps', namespace: 'default', name: 'seen', apiVersion: 'v1' },
      responseStatus: { metadata: {}, code: 201 },
      requestObject: { metadata: { name: 'seen' }, data: { a: '1' } },
      responseObject: { kind: 'ConfigMap', data: { a: '1' } },
      annotations: { 'authorization.k8s.io/decision': 'allow' },
    })
    expect((event?.['responseObject'] as { metadata: object }).metadata).not.toHaveProperty('managedFields')
  })

  it('tell failures, and whom somebody acted as', async () => {
    const [event] = await eventsOf(() =>
      server.call('/api/v1/namespaces/default/configmaps/none', { headers: { 'impersonate-user': 'bob' } }),
    )
    expect(event).toMatchObject({
      user: { username: 'admin' },
      impersonatedUser: { username: 'bob', groups: ['system:authenticated'] },
      responseStatus: { status: 'Failure', reason: 'Forbidden', code: 403 },
      annotations: { 'authorization.k8s.io/decision': 'forbid' },
    })
  })

  it('mark the beginning and the end of a watch', async () => {
    const seen = await eventsOf(() =>
      server.call('/api/v1/namespaces/default/configmaps?watch=1&timeoutSeconds=1', { token: 'test-admin-token' }),
    )
    await expect.poll(() => events.map(({ stage }) => stage)).toEqual(['ResponseStarted', 'ResponseComplete'])
    expect(seen[0]).toMatchObject({ verb: 'watch', stage: 'ResponseStarted' })
  })

  it('are not written of what the policy leaves out', async () => {
    const [event] = await eventsOf(async () => {
      await server.call('/api/v1/namespaces/default/secrets')
      await server.call('/version')
    })
    expect(event).toMatchObject({ requestURI: '/version', level: 'Metadata' })
  })
})

describe('the log file', () => {
  it('puts itself aside when it is full and keeps as many as asked for', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'orrery-audit-'))
    try {
      let now = Date.UTC(2026, 0, 1)
      const path = join(folder, 'audit.log')
      const line = 'x'.repeat(700_000)
      for (let round = 0; round < 5; round += 1) {
        now += 1000
        const log = openAuditLog({ path, maxSizeMiB: 1, maxBackups: 2, now: () => now, logger: silentLogger })
        log.sink(line)
        await log.close()
      }
      const files = (await readdir(folder)).sort()
      expect(files).toEqual(['audit-2026-01-01T00-00-04.000.log', 'audit-2026-01-01T00-00-05.000.log', 'audit.log'])
      expect((await readFile(path, 'utf8')).length).toBe(line.length + 1)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
