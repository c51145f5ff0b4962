import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { issueCertificate } from '../../pki/certificates.ts'
import { createAuthority } from '../../pki/certificates.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'

interface Failure {
  code: number
  message: string
  reason: string
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({
    tokens: {
      bob: { name: 'bob', groups: ['team'] },
      carol: { name: 'carol', groups: [] },
      node: { name: 'system:node:n1', groups: ['system:nodes'] },
    },
  })
})
afterAll(() => server.close())

const pods = '/api/v1/namespaces/default/pods'
const patch = { 'content-type': 'application/merge-patch+json' }

describe('who asks', () => {
  it('knows users by client certificate, and refuses certificates of strangers', async () => {
    const mine = await issueCertificate(server.authority, {
      commonName: 'dave',
      organizations: ['system:masters'],
      usages: ['client'],
    })
    expect((await server.call('/api/v1/namespaces', { certificate: mine })).status).toBe(200)
    const stranger = await issueCertificate(await createAuthority('other'), {
      commonName: 'dave',
      organizations: ['system:masters'],
      usages: ['client'],
    })
    expect((await server.call('/api/v1/namespaces', { certificate: stranger })).status).toBe(401)
  })

  it('refuses wrong tokens and lets nobody see only what is public', async () => {
    expect((await server.call<Failure>(pods, { token: 'wrong' })).body).toMatchObject({
      code: 401,
      reason: 'Unauthorized',
      message: 'Unauthorized',
    })
    expect((await server.call<Failure>(pods, { token: undefined })).body.message).toBe(
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
    )
    expect((await server.call<Failure>('/metrics', { token: undefined })).body.message).toBe(
      'forbidden: User "system:anonymous" cannot get path "/metrics"',
    )
    for (const path of ['/healthz', '/livez', '/readyz', '/version'])
      expect((await server.call(path, { token: undefined })).status).toBe(200)
  })

  it('answers only for its own names, and to no foreign page', async () => {
    expect((await server.call('/version', { headers: { host: 'evil.example:1' } })).status).toBe(421)
    expect((await server.call('/version', { headers: { host: 'orrery.test' } })).status).toBe(200)
    expect((await server.call('/version', { headers: { origin: 'https://evil.example' } })).status).toBe(403)
    expect(
      (await server.call('/version', { headers: { origin: `https://127.0.0.1:${String(server.address.port)}` } }))
        .status,
    ).toBe(200)
    expect((await server.call('/version', { headers: { origin: 'null' } })).status).toBe(403)
  })

  it('lets those who may act as others, and nobody else', async () => {
    const review = await server.call<{ status: { userInfo: object } }>(
      '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      {
        body: {},
        headers: { 'impersonate-user': 'eve', 'impersonate-group': 'dev' },
      },
    )
    expect(review.body.status.userInfo).toEqual({ username: 'eve', groups: ['dev', 'system:authenticated'] })
    const refused = await server.call<Failure>(pods, { token: 'bob', headers: { 'impersonate-user': 'eve' } })
    expect(refused.body.message).toBe(
      'users "eve" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope',
    )
  })
})

describe('what they may', () => {
  it('follows roles and bindings as they come and go', async () => {
    const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default'
    expect((await server.call(pods, { token: 'bob' })).status).toBe(403)
    await server.call(`${rbac}/roles`, {
      body: { metadata: { name: 'reader' }, rules: [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }] },
    })
    await server.call(`${rbac}/rolebindings`, {
      body: {
        metadata: { name: 'team' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
        subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'team' }],
      },
    })
    expect((await server.call(pods, { token: 'bob' })).status).toBe(200)
    expect((await server.call('/api/v1/pods', { token: 'bob' })).status).toBe(403)
    expect((await server.call<Failure>(`${pods}/x/log`, { token: 'bob' })).body.message).toContain(
      'cannot get resource "pods/log"',
    )
    await server.call(`${rbac}/rolebindings/team`, { method: 'DELETE' })
    expect((await server.call(pods, { token: 'bob' })).status).toBe(403)
  })

  it('lets nobody give away more than they have', async () => {
    const bindings = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings'
    const roles = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles'
    const bind = (name: string, role: string) => ({
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'carol' }],
    })
    expect((await server.call(bindings, { body: bind('carol-admin', 'admin') })).status).toBe(201)
    expect((await server.call(bindings, { token: 'carol', body: bind('carol-view', 'view') })).status).toBe(201)
    expect(
      (await server.call<Failure>(bindings, { token: 'carol', body: bind('carol-all', 'cluster-admin') })).body,
    ).toMatchObject({ code: 403, reason: 'Forbidden' })
    const greedy = { metadata: { name: 'greedy' }, rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] }
    expect((await server.call<Failure>(roles, { token: 'carol', body: greedy })).body.message).toContain(
      'user "carol" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
        '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}',
    )
  })

  it('lets nobody create by updating or applying who may not create', async () => {
    const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default'
    const rules = (verbs: string[]): object => [{ apiGroups: [''], resources: ['services', 'configmaps'], verbs }]
    const subjects = [{ kind: 'User', name: 'changer', apiGroup: 'rbac.authorization.k8s.io' }]
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'changer' }
    await server.call(`${rbac}/roles`, {
      body: { metadata: { name: 'changer' }, rules: rules(['get', 'update', 'patch']) },
    })
    await server.call(`${rbac}/rolebindings`, { body: { metadata: { name: 'changer' }, subjects, roleRef } })
    const base = '/api/v1/namespaces/default'
    const as = { 'impersonate-user': 'changer' }
    const put = () =>
      server.call<Failure>(`${base}/services/fresh`, {
        method: 'PUT',
        headers: as,
        body: { metadata: { name: 'fresh' }, spec: { ports: [{ port: 80 }] } },
      })
    const apply = () =>
      server.call<Failure>(`${base}/configmaps/fresh?fieldManager=test`, {
        method: 'PATCH',
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'fresh' } },
        headers: { ...as, 'content-type': 'application/apply-patch+yaml' },
      })
    await expect
      .poll(async () => (await put()).body)
      .toMatchObject({
        code: 403,
        message: expect.stringMatching(/^services "fresh" is forbidden: $/) as string,
      })
    expect((await apply()).body).toMatchObject({ code: 403, reason: 'Forbidden' })
    await server.call(`${rbac}/roles/changer`, {
      method: 'PUT',
      body: { metadata: { name: 'changer' }, rules: rules(['create', 'update', 'patch']) },
    })
    await expect.poll(async () => (await put()).status).toBe(201)
    expect((await apply()).status).toBe(201)
  })

  it('lets only who may do everything write roles that take in others', async () => {
    const rbac = '/apis/rbac.authorization.k8s.io/v1'
    const rule = { verbs: ['create'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'] }
    await server.call(`${rbac}/clusterroles`, { body: { metadata: { name: 'stewards' }, rules: [rule] } })
    await server.call(`${rbac}/clusterrolebindings`, {
      body: {
        metadata: { name: 'stewards' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'stewards' },
        subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'bob' }],
      },
    })
    const gathering = {
      metadata: { name: 'all' },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] },
    }
    const { status, body } = await server.call<Failure>(`${rbac}/clusterroles`, { token: 'bob', body: gathering })
    expect([status, body.message]).toEqual([
      403,
      'clusterroles.rbac.authorization.k8s.io "all" is forbidden: must have cluster-admin privileges to use the aggregationRule',
    ])
  })

  it('answers can-i', async () => {
    const ask = async (token: string, verb: string): Promise<unknown> =>
      (
        await server.call<{ status: object }>('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
          token,
          body: { spec: { resourceAttributes: { namespace: 'default', verb, resource: 'pods' } } },
        })
      ).body.status
    expect(await ask('bob', 'delete')).toEqual({ allowed: false })
    expect(await ask('carol', 'delete')).toMatchObject({ allowed: true })
    const asTable = await server.call('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
      body: { spec: { nonResourceAttributes: { path: '/', verb: 'get' } } },
    })
    expect(asTable.status).toBe(406)
  })
})

describe('service account tokens', () => {
  const accounts = '/api/v1/namespaces/default/serviceaccounts'
  const issue = async (
    name: string,
    spec: object = {},
  ): Promise<{ status: number; body: { status: { token: string }; message: string } }> =>
    server.call(`${accounts}/${name}/token`, { body: { spec } })

  it('are good for this server until the account goes', async () => {
    await server.call(accounts, { body: { metadata: { name: 'robot' } } })
    const { token } = (await issue('robot')).body.status
    const whoami = await server.call<{ status: { userInfo: object } }>(
      '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      { token, body: {} },
    )
    expect(whoami.body.status.userInfo).toMatchObject({
      username: 'system:serviceaccount:default:robot',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    })
    const elsewhere = (await issue('robot', { audiences: ['vault'] })).body.status.token
    expect((await server.call(pods, { token: elsewhere })).status).toBe(401)
    expect((await issue('robot', { expirationSeconds: 5 })).body.message).toContain(
      'may not specify a duration less than 10 minutes',
    )
    await server.call(`${accounts}/robot`, { method: 'DELETE' })
    await server.call(accounts, { body: { metadata: { name: 'robot' } } })
    expect((await server.call(pods, { token })).status).toBe(401)
  })

  it('bound to a pod die with it, and are mounted into it', async () => {
    await server.call(accounts, { body: { metadata: { name: 'bound' } } })
    const pod = await server.call<{
      metadata: { uid: string }
      spec: { volumes: { name: string }[]; containers: { volumeMounts: object[] }[] }
    }>(pods, {
      body: {
        metadata: { name: 'holder' },
        spec: { serviceAccountName: 'bound', nodeName: 'n1', containers: [{ name: 'c', image: 'x' }] },
      },
    })
    expect(pod.body.spec.volumes[0]?.name).toMatch(/^kube-api-access-/)
    expect(pod.body.spec.containers[0]?.volumeMounts[0]).toMatchObject({
      mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
      readOnly: true,
    })
    const spec = { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'holder', uid: pod.body.metadata.uid } }
    const { token } = (await issue('bound', spec)).body.status
    expect((await server.call(pods, { token })).status).toBe(403)
    await server.call(`${pods}/holder?gracePeriodSeconds=0`, { method: 'DELETE' })
    expect((await server.call(pods, { token })).status).toBe(401)
  })
})

describe('nodes', () => {
  it('write themselves and their pods, and read what those use', async () => {
    await server.call('/api/v1/nodes', { body: { metadata: { name: 'n2' } } })
    expect((await server.call('/api/v1/nodes', { token: 'node', body: { metadata: { name: 'n1' } } })).status).toBe(201)
    const label = { method: 'PATCH', headers: patch, token: 'node', body: { metadata: { labels: { a: 'b' } } } }
    expect((await server.call('/api/v1/nodes/n1', label)).status).toBe(200)
    expect((await server.call<Failure>('/api/v1/nodes/n2', label)).body.message).toBe(
      'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
    )

    await server.call('/api/v1/namespaces/default/serviceaccounts', { body: { metadata: { name: 'default' } } })
    for (const name of ['used', 'unused'])
      await server.call('/api/v1/namespaces/default/secrets', { body: { metadata: { name } } })
    await server.call(pods, {
      body: {
        metadata: { name: 'mine' },
        spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'x', envFrom: [{ secretRef: { name: 'used' } }] }] },
      },
    })
    await server.call(pods, {
      body: { metadata: { name: 'other' }, spec: { nodeName: 'n2', containers: [{ name: 'c', image: 'x' }] } },
    })
    expect((await server.call('/api/v1/namespaces/default/secrets/used', { token: 'node' })).status).toBe(200)
    expect((await server.call('/api/v1/namespaces/default/secrets/unused', { token: 'node' })).status).toBe(403)
    const status = { method: 'PATCH', headers: patch, token: 'node', body: { status: { phase: 'Running' } } }
    expect((await server.call(`${pods}/mine/status`, status)).status).toBe(200)
    expect((await server.call(`${pods}/other/status`, status)).status).toBe(403)
  })

  it('pods are bound once', async () => {
    await server.call(pods, { body: { metadata: { name: 'free' }, spec: { containers: [{ name: 'c', image: 'x' }] } } })
    const binding = { metadata: { name: 'free' }, target: { kind: 'Node', name: 'n1' } }
    expect((await server.call(`${pods}/free/binding`, { body: binding })).status).toBe(201)
    const bound = await server.call<{ spec: { nodeName: string }; status: { conditions: object[] } }>(`${pods}/free`)
    expect(bound.body.spec.nodeName).toBe('n1')
    expect(bound.body.status.conditions).toContainEqual(
      expect.objectContaining({ type: 'PodScheduled', status: 'True' }),
    )
    expect((await server.call<Failure>(`${pods}/free/binding`, { body: binding })).body).toMatchObject({
      code: 409,
      message: 'Operation cannot be fulfilled on pods/binding "free": pod free is already assigned to node "n1"',
    })
  })
})
