import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ConfigMap, Pod } from '../../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import { startTestServer, type TestServer } from '../../testing/test-server.ts'
import { create, newNamespace, podSpec } from '../testing.ts'
import { patchAnswer, registerWebhook, unregisterWebhooks, WebhookProgram } from './testing.ts'

let server: TestServer
let hooks: WebhookProgram

beforeAll(async () => {
  hooks = await WebhookProgram.start()
  // The one node reaches every address: at the webhook's own port.
  server = await startTestServer({
    nodes: {
      isConnected: (node) => node === 'n1',
      request: () => Promise.resolve({ status: 200, headers: {}, stream: connect(hooks.port, '127.0.0.1') }),
    },
    settings: { admissionPlugins: { enable: ['AlwaysPullImages'] } },
  })
  await newNamespace(server, 'hooked', { hooks: 'yes' })
  await newNamespace(server, 'free')
})
afterAll(async () => {
  await server.close()
  await hooks.close()
})
beforeEach(async () => {
  hooks.forget()
  await unregisterWebhooks(server)
})

const register = (type: 'validating' | 'mutating', path: string, fields?: object, name?: string): Promise<void> =>
  registerWebhook(server, hooks, type, path, fields, name)

describe('a validating webhook', () => {
  it('is told of the request and may refuse it in its own words', async () => {
    await register('validating', '/deny')
    hooks.answer('/deny', () => ({
      allowed: false,
      status: { code: 403, message: 'not today' },
      warnings: ['think twice'],
    }))
    const { status, message, warnings } = await create(
      server,
      'v1 ConfigMap hooked/a',
      { data: { x: 'y' } },
      '?fieldManager=me',
    )
    expect(status).toBe(403)
    expect(message).toBe('admission webhook "hooks-deny.example.com" denied the request: not today')
    expect(warnings).toContain('think twice')
    expect(hooks.reviews[0]).toMatchObject({
      apiVersion: 'admission.k8s.io/v1',
      request: {
        operation: 'CREATE',
        name: 'a',
        namespace: 'hooked',
        resource: { group: '', version: 'v1', resource: 'configmaps' },
        userInfo: { username: 'admin' },
        object: { kind: 'ConfigMap', data: { x: 'y' } },
        oldObject: null,
        dryRun: false,
        options: { kind: 'CreateOptions', fieldManager: 'me' },
      },
    })
    hooks.answer('/deny', () => ({ allowed: false }))
    expect(await create(server, 'v1 ConfigMap hooked/a')).toMatchObject({
      status: 400,
      message: 'admission webhook "hooks-deny.example.com" denied the request without explanation',
    })
    expect((await create(server, 'v1 ConfigMap free/a')).status).toBe(201)
  })

  it('sees updates and deletions', async () => {
    await register('validating', '/see')
    hooks.answer('/see', () => ({}))
    await create(server, 'v1 ConfigMap hooked/b')
    const path = '/api/v1/namespaces/hooked/configmaps/b'
    await server.call(path, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { data: { a: 'b' } },
    })
    await server.call(path, { method: 'DELETE' })
    expect(hooks.reviews.map(({ request }) => request.operation)).toEqual(['CREATE', 'UPDATE', 'DELETE'])
    expect(hooks.reviews[1]?.request.oldObject).not.toBeNull()
    expect(hooks.reviews[2]?.request.object).toBeNull()
  })

  it('that cannot be reached fails the write, unless that is to be ignored', async () => {
    await register('validating', '/x', { clientConfig: { url: 'https://127.0.0.1:1/x', caBundle: hooks.caBundle } })
    expect(await create(server, 'v1 ConfigMap hooked/c')).toMatchObject({
      status: 500,
      message:
        'Internal error occurred: failed calling webhook "hooks-x.example.com": failed to call webhook: Post "https://127.0.0.1:1/x?timeout=10s": dial tcp 127.0.0.1:1: connect: connection refused',
    })
    await unregisterWebhooks(server)
    await register('validating', '/x', { clientConfig: { url: 'https://127.0.0.1:1/x' }, failurePolicy: 'Ignore' })
    expect((await create(server, 'v1 ConfigMap hooked/c')).status).toBe(201)
  })

  it('has its time, a certificate to show and an answer to give', async () => {
    await register('validating', '/slow', { timeoutSeconds: 1 })
    const slow = await create(server, 'v1 ConfigMap hooked/d')
    expect(slow.message).toContain('context deadline exceeded')
    await unregisterWebhooks(server)
    await register('validating', '/tls', { clientConfig: { url: `https://127.0.0.1:${String(hooks.port)}/tls` } })
    expect((await create(server, 'v1 ConfigMap hooked/d')).message).toContain(
      'x509: certificate signed by unknown authority',
    )
    await unregisterWebhooks(server)
    await register('validating', '/broken')
    hooks.answer('/broken', () => 'boom')
    expect((await create(server, 'v1 ConfigMap hooked/d')).message).toContain(
      'an error on the server ("boom") has prevented the request from succeeding',
    )
  })

  it('is asked only when its conditions and selectors hold', async () => {
    await register('validating', '/cond', {
      objectSelector: { matchLabels: { watched: 'yes' } },
      matchConditions: [
        { name: 'big', expression: 'object.data.size == "big" && request.userInfo.username == "admin"' },
      ],
    })
    hooks.answer('/cond', () => ({ allowed: false }))
    const make = (name: string, labels: object, size: string): Promise<{ status: number; message: string }> =>
      create(server, `v1 ConfigMap hooked/${name}`, { metadata: { labels }, data: { size } })
    expect((await make('e1', {}, 'big')).status).toBe(201)
    expect((await make('e2', { watched: 'yes' }, 'small')).status).toBe(201)
    expect((await make('e3', { watched: 'yes' }, 'big')).status).toBe(400)
    const failed = await create(server, 'v1 ConfigMap hooked/e4', { metadata: { labels: { watched: 'yes' } } })
    expect(failed.message).toBe('configmaps "e4" is forbidden: matchCondition "big" failed: no such key: data')
  })

  it('with side effects is not asked in dry runs', async () => {
    await register('validating', '/dry', { sideEffects: 'NoneOnDryRun' })
    hooks.answer('/dry', () => ({}))
    expect((await create(server, 'v1 ConfigMap hooked/f', {}, '?dryRun=All')).status).toBe(201)
    expect(hooks.reviews[0]?.request.dryRun).toBe(true)
  })

  it('is told who asks, where the configuration says so', async () => {
    const identities = new Map([
      ['*.0.0.1', { authorization: 'Bearer for-loopback' }],
      ['*', { authorization: 'Bearer for-all' }],
    ])
    const content = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'WebhookAdmissionConfiguration' }
    const configurations = new Map([['ValidatingAdmissionWebhook', { content, identities }]])
    const configured = await startTestServer({ admissionPlugins: { configurations } })
    await newNamespace(configured, 'hooked', { hooks: 'yes' })
    await registerWebhook(configured, hooks, 'validating', '/who')
    hooks.answer('/who', () => ({}))
    expect((await create(configured, 'v1 ConfigMap hooked/w')).status).toBe(201)
    expect(hooks.authorization).toBe('Bearer for-loopback')
    await configured.close()
  })

  it('is counted, and so are plugins', async () => {
    await register('validating', '/no', {}, 'counted')
    hooks.answer('/no', () => ({ allowed: false, status: { code: 403, message: 'no' } }))
    await create(server, 'v1 ConfigMap hooked/counted')
    await unregisterWebhooks(server)
    await register('validating', '/gone', { clientConfig: { url: 'https://127.0.0.1:1/x' }, failurePolicy: 'Ignore' })
    await create(server, 'v1 ConfigMap hooked/counted')
    const { text } = await server.call('/metrics')
    const of = 'name="counted.example.com",operation="CREATE",rejected="true",type="validating"'
    const told = text.split('\n').filter((line) => line.startsWith('apiserver_admission_'))
    expect(told).toContain(`apiserver_admission_webhook_admission_duration_seconds_count{${of}} 1`)
    expect(told).toContain(`apiserver_admission_webhook_request_total{code="403",${of}} 1`)
    expect(told).toContain(
      'apiserver_admission_webhook_rejection_count{error_type="no_error",name="counted.example.com",operation="CREATE",rejection_code="403",type="validating"} 1',
    )
    expect(told).toContain(
      'apiserver_admission_webhook_fail_open_count{name="hooks-gone.example.com",type="validating"} 1',
    )
    for (const series of [
      'controller_admission_duration_seconds_count{name="ValidatingAdmissionWebhook",operation="CREATE",rejected="true",type="validate"}',
      'controller_admission_duration_seconds_count{name="NamespaceLifecycle",operation="CREATE",rejected="false",type="admit"}',
      'step_admission_duration_seconds_count{operation="CREATE",rejected="true",type="validate"}',
    ])
      expect(told.some((line) => line.startsWith(`apiserver_admission_${series} `))).toBe(true)
  })

  it('can be a service', async () => {
    await newNamespace(server, 'hooks')
    await create(server, 'v1 Service hooks/hook', { spec: { ports: [{ port: 443 }] } })
    await server.call('/apis/discovery.k8s.io/v1/namespaces/hooks/endpointslices', {
      body: {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 'hook-1', labels: { 'kubernetes.io/service-name': 'hook' } },
        addressType: 'IPv4',
        ports: [{ name: '', port: hooks.port }],
        endpoints: [{ addresses: ['10.1.2.3'], nodeName: 'n1' }],
      },
    })
    await register('validating', '/svc', {
      clientConfig: { service: { namespace: 'hooks', name: 'hook', path: '/svc' }, caBundle: hooks.caBundle },
    })
    hooks.answer('/svc', () => ({ allowed: false, status: { message: 'from a service' } }))
    const { message } = await create(server, 'v1 ConfigMap hooked/g')
    expect(message).toContain('from a service')
    await server.call('/apis/discovery.k8s.io/v1/namespaces/hooks/endpointslices', { method: 'DELETE' })
    expect((await create(server, 'v1 ConfigMap hooked/g')).message).toBe(
      'Internal error occurred: failed calling webhook "hooks-svc.example.com": failed to call webhook: Post "https://hook.hooks.svc:443/svc?timeout=10s": no endpoints available for service "hook"',
    )
  })
})

describe('mutating webhooks', () => {
  it('change objects one after the other, and again when asked for', async () => {
    await register('mutating', '/first', { reinvocationPolicy: 'IfNeeded' }, 'a-first')
    await register('mutating', '/second', {}, 'b-second')
    const seen: string[] = []
    hooks.answer('/first', ({ request }) => {
      const count = Object.keys(request.object?.data ?? {}).length
      seen.push(String(count))
      return patchAnswer([{ op: 'add', path: `/data/first${String(count)}`, value: 'yes' }])
    })
    hooks.answer('/second', () => patchAnswer([{ op: 'add', path: '/data/second', value: 'yes' }]))
    const { object, status, message } = await create<KubeObject & ConfigMap>(server, 'v1 ConfigMap hooked/m', {
      data: { own: 'x' },
    })
    expect(status, message).toBe(201)
    expect(object.data).toEqual({ own: 'x', first1: 'yes', second: 'yes', first3: 'yes' })
    expect(seen).toEqual(['1', '3'])
  })

  it('whose patch does not apply fail the write', async () => {
    await register('mutating', '/bad')
    hooks.answer('/bad', () => patchAnswer([{ op: 'remove', path: '/data/none' }]))
    const { status, message } = await create(server, 'v1 ConfigMap hooked/n')
    expect(status).toBe(500)
    expect(message).toContain('Internal error occurred')
  })

  it('make the other plugins look again', async () => {
    await register('mutating', '/sidecar', {
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    })
    const sidecar = { name: 'side', image: 'busybox', imagePullPolicy: 'IfNotPresent' }
    hooks.answer('/sidecar', () => patchAnswer([{ op: 'add', path: '/spec/containers/-', value: sidecar }]))
    const { object, status, message } = await create<KubeObject & Pod>(server, 'v1 Pod hooked/p', podSpec())
    expect(status, message).toBe(201)
    expect(object.spec?.containers).toMatchObject([
      { name: 'c', imagePullPolicy: 'Always' },
      { name: 'side', imagePullPolicy: 'Always', volumeMounts: [{ readOnly: true }], terminationMessagePolicy: 'File' },
    ])
    expect(hooks.reviews).toHaveLength(1)
  })

  it('see deletions, and may not change what is gone', async () => {
    await create(server, 'v1 ConfigMap hooked/gone')
    await register('mutating', '/delete', {
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['DELETE'], resources: ['configmaps'] }],
    })
    hooks.answer('/delete', () => patchAnswer([{ op: 'add', path: '/data', value: {} }]))
    const path = '/api/v1/namespaces/hooked/configmaps/gone'
    const refused = await server.call(path, { method: 'DELETE' })
    expect(refused.body['message']).toBe(
      'Internal error occurred: admission webhook "hooks-delete.example.com" attempted to modify the object, which is not supported for this operation',
    )
    hooks.answer('/delete', () => ({}))
    const options = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' }
    expect((await server.call(path, { method: 'DELETE', body: options })).status).toBe(200)
    expect(hooks.reviews.at(-1)?.request).toMatchObject({
      operation: 'DELETE',
      object: null,
      oldObject: { metadata: { name: 'gone' } },
      options: { kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1', propagationPolicy: 'Background' },
    })
  })

  it('that answer nonsense count as failed calls', async () => {
    await register('mutating', '/none', { failurePolicy: 'Ignore' })
    hooks.answer('/none', () => ({ patch: 'AAAA', patchType: 'JSONPatch' }))
    expect((await create(server, 'v1 ConfigMap hooked/o')).status).toBe(201)
    await unregisterWebhooks(server)
    await register('mutating', '/none')
    hooks.answer('/none', () => ({ uid: 'other' }))
    expect((await create(server, 'v1 ConfigMap hooked/o2')).message).toMatch(
      /^Internal error occurred: failed calling webhook "hooks-none\.example\.com": received invalid webhook response: expected response\.uid=/,
    )
  })
})
