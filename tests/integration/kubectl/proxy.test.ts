// kubectl proxy: the API without credentials on a local port, watches included; and kubectl top with the numbers of a metrics server.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAuthority, issueCertificate } from '../../../main/pki/certificates.ts'
import { defaultCache } from '../../../main/engine/paths.ts'
import { ensureKubectl } from '../../../vm-images/host-tools.ts'
import { startControlPlane, type ControlPlane } from '../../harness/control-plane.ts'
import { eventually } from '../../harness/eventually.ts'

let plane: ControlPlane
beforeAll(async () => {
  plane = await startControlPlane()
})
afterAll(async () => {
  await plane.stop()
})

describe('kubectl proxy', () => {
  let proxy: ChildProcess
  let address: string
  beforeAll(async () => {
    const program = await ensureKubectl({ cache: defaultCache() })
    proxy = spawn(program, ['proxy', '--port=0', '--reject-paths=^/api/.*/secrets'], {
      env: { ...process.env, KUBECONFIG: plane.paths.kubeconfig },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(proxy.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
    address = `http://${/127\.0\.0\.1:\d+/.exec(line.toString('utf8'))?.[0] ?? ''}`
  })
  afterAll(() => {
    proxy.kill()
  })

  it('answers for its user', async () => {
    const version = (await (await fetch(`${address}/version`)).json()) as { major: string }
    expect(version.major).toBe('1')
    const made = await fetch(`${address}/api/v1/namespaces/default/configmaps`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ metadata: { name: 'through' } }),
    })
    expect(made.status).toBe(201)
    expect((await fetch(`${address}/api/v1/namespaces/default/secrets`)).status).toBe(403)
    expect((await fetch(`${address}/api/v1/namespaces/default/configmaps/none`)).status).toBe(404)
  })

  it('passes watches on as they come', async () => {
    const answer = await fetch(`${address}/api/v1/namespaces/default/configmaps?watch=1&timeoutSeconds=30`)
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader()
    let text = ''
    const read = async (until: string): Promise<void> => {
      while (!text.includes(until)) {
        const { value, done } = await reader.read()
        if (done) throw new Error(`ended before ${until}: ${text}`)
        text += Buffer.from(value).toString('utf8')
      }
    }
    await read('"name":"through"')
    await plane.ok('create configmap later')
    await read('"name":"later"')
    await reader.cancel()
  })
})

describe('kubectl top', () => {
  it('shows what a metrics server says', async () => {
    const authority = await createAuthority('metrics')
    const { cert, key } = await issueCertificate(authority, {
      commonName: 'metrics',
      dnsNames: ['metrics.kube-system.svc'],
      usages: ['server'],
    })
    const group = '/apis/metrics.k8s.io/v1beta1'
    const about = { timestamp: '2026-01-01T00:00:00Z', window: '10s' }
    const usage = { cpu: '250m', memory: '64Mi' }
    const list = (kind: string, items: object[]): object => ({
      kind: `${kind}MetricsList`,
      apiVersion: 'metrics.k8s.io/v1beta1',
      metadata: {},
      items,
    })
    const pods = [{ metadata: { name: 'web', namespace: 'default' }, ...about, containers: [{ name: 'main', usage }] }]
    const answers: Record<string, object> = {
      [group]: {
        kind: 'APIResourceList',
        apiVersion: 'v1',
        groupVersion: 'metrics.k8s.io/v1beta1',
        resources: [
          { name: 'nodes', singularName: 'node', namespaced: false, kind: 'NodeMetrics', verbs: ['get', 'list'] },
          { name: 'pods', singularName: 'pod', namespaced: true, kind: 'PodMetrics', verbs: ['get', 'list'] },
        ],
      },
      [`${group}/nodes`]: list('Node', [{ metadata: { name: 'one' }, ...about, usage }]),
      [`${group}/namespaces/default/pods`]: list('Pod', pods),
      [`${group}/pods`]: list('Pod', pods),
    }
    const server = createServer({ cert, key }, (req, res) => {
      const found = answers[new URL(req.url ?? '/', 'https://metrics').pathname]
      res.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' })
      res.end(JSON.stringify(found ?? {}))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const { port } = server.address() as AddressInfo
      await plane.ok('apply -f -', {
        input: `
apiVersion: v1
kind: Service
metadata: {name: metrics, namespace: kube-system}
spec: {type: ExternalName, externalName: 127.0.0.1, ports: [{port: ${String(port)}}]}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.metrics.k8s.io}
spec:
  group: metrics.k8s.io
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  caBundle: ${Buffer.from(authority.cert).toString('base64')}
  service: {name: metrics, namespace: kube-system, port: ${String(port)}}
---
apiVersion: v1
kind: Node
metadata: {name: one}
`,
      })
      await plane.ok(
        `patch node one --subresource=status -p {"status":{"capacity":{"cpu":"1","memory":"128Mi"},"allocatable":{"cpu":"1","memory":"128Mi"}}}`,
      )
      await eventually('numbers of nodes', async () =>
        /^NAME +CPU\(cores\) +CPU\(%\) +MEMORY\(bytes\) +MEMORY\(%\) *\none +250m +25% +64Mi +50% *\n$/.test(
          (await plane.kubectl('top nodes')).stdout,
        ),
      )
      expect(await plane.ok('top pods --containers')).toMatch(
        /^POD +NAME +CPU\(cores\) +MEMORY\(bytes\) *\nweb +main +250m +64Mi *\n$/,
      )
      expect(await plane.ok('top pods -A --sum --no-headers')).toMatch(/web +250m +64Mi/)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})
