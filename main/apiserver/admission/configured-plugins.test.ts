// Plugins with the settings that --admission-control-config-file gives them.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { Pod } from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import type { PluginConfiguration } from './configuration.ts'
import { selectAdmissionPlugins } from './plugins.ts'
import { create, type Fields, newNamespace, podSpec } from './testing.ts'

const stops: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

async function start(
  name: string,
  content: object,
  more: Omit<PluginConfiguration, 'content'> = {},
): Promise<TestServer> {
  const configurations = new Map([[name, { content, ...more }]])
  const server = await startTestServer({
    admissionPlugins: { enable: [name], configurations },
    tokens: { 'user-token': { name: 'trusted', groups: ['system:masters'] } },
  })
  stops.push(() => server.close())
  await newNamespace(server, 'n')
  return server
}

const problem = (name: string, content: object): string => {
  try {
    selectAdmissionPlugins({ enable: [name], configurations: new Map([[name, { content }]]) })
    return ''
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

describe('PodSecurity', () => {
  const configuration = {
    apiVersion: 'pod-security.admission.config.k8s.io/v1',
    kind: 'PodSecurityConfiguration',
    defaults: { enforce: 'baseline', 'enforce-version': 'v1.30', warn: 'restricted' },
    exemptions: { namespaces: ['spared'], usernames: ['trusted'], runtimeClasses: [] },
  }
  const hostNetwork = podSpec({}, { hostNetwork: true })

  it('has defaults for namespaces that say nothing, and exemptions', async () => {
    const server = await start('PodSecurity', configuration)
    await newNamespace(server, 'spared')
    await newNamespace(server, 'open', { 'pod-security.kubernetes.io/enforce': 'privileged' })
    const refused = await create(server, 'v1 Pod n/p', hostNetwork)
    expect(refused.message).toContain('violates PodSecurity "baseline:v1.30": host namespaces (hostNetwork=true)')
    expect((await create(server, 'v1 Pod n/q', podSpec())).warnings).toContain(
      'would violate PodSecurity \\"restricted:latest\\"',
    )
    expect((await create(server, 'v1 Pod open/p', hostNetwork)).status).toBe(201)
    expect(await create(server, 'v1 Pod spared/p', hostNetwork)).toMatchObject({ status: 201, warnings: '' })
    const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'by-user' }, ...hostNetwork }
    expect((await server.call('/api/v1/namespaces/n/pods', { body, token: 'user-token' })).status).toBe(201)
  })

  it.each([
    [{ ...configuration, kind: 'Other' }, 'is no PodSecurityConfiguration of pod-security.admission.config.k8s.io'],
    [{ ...configuration, defaults: { warn: 'strict' } }, 'defaults.warn: Invalid value: "strict"'],
    [{ ...configuration, exemptions: { usernames: [''] } }, 'exemptions.usernames[0]: Invalid value: ""'],
  ])('refuses settings it cannot use', (content, expected) => {
    expect(problem('PodSecurity', content)).toContain(`admission-control-config-file: PodSecurity: ${expected}`)
  })
})

describe('EventRateLimit', () => {
  const configuration = (...limits: readonly object[]): object => ({
    apiVersion: 'eventratelimit.admission.k8s.io/v1alpha1',
    kind: 'Configuration',
    limits,
  })
  const event = (server: TestServer, namespace: string, name: string): Promise<{ status: number; message: string }> =>
    create(server, `v1 Event ${namespace}/${name}`, { involvedObject: { namespace, name: 'x' }, reason: 'Test' })

  it('limits each namespace by itself', async () => {
    const server = await start('EventRateLimit', configuration({ type: 'Namespace', qps: 1, burst: 2 }))
    await newNamespace(server, 'm')
    expect((await event(server, 'n', 'a')).status).toBe(201)
    expect((await event(server, 'n', 'b')).status).toBe(201)
    expect(await event(server, 'n', 'c')).toMatchObject({
      status: 429,
      message: 'Too many requests: limit reached on type Namespace for key n',
    })
    expect((await event(server, 'm', 'a')).status).toBe(201)
  })

  it('refuses settings it cannot use', () => {
    expect(problem('EventRateLimit', configuration())).toContain('limits: Invalid value: must not be empty')
    expect(problem('EventRateLimit', configuration({ type: 'Planet', qps: 1, burst: 1 }))).toContain(
      'limits[0].type: Unsupported value: "Planet"',
    )
    expect(problem('EventRateLimit', configuration({ type: 'User', qps: 0, burst: 1 }))).toContain('limits[0].qps')
  })
})

describe('PodNodeSelector', () => {
  it('has a default for the cluster and a bound for a namespace', async () => {
    const server = await start('PodNodeSelector', {
      podNodeSelectorPluginConfig: { clusterDefaultNodeSelector: 'zone=a', n: 'zone=a,disk=ssd' },
    })
    const made = await create<KubeObject & Pod>(server, 'v1 Pod n/p', podSpec({}, { nodeSelector: { disk: 'ssd' } }))
    expect(made.object.spec?.nodeSelector, made.message).toEqual({ zone: 'a', disk: 'ssd' })
    expect((await create(server, 'v1 Pod n/q', podSpec({}, { nodeSelector: { disk: 'hdd' } }))).message).toBe(
      'pods "q" is forbidden: pod node label selector labels conflict with its namespace whitelist',
    )
  })
})

describe('PodTolerationRestriction', () => {
  const gpu = { key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }
  const spot = { key: 'spot', operator: 'Equal', value: 'true', effect: 'NoSchedule' }
  const tolerationsOf = async (server: TestServer, where: string, spec: Fields = {}, container: Fields = {}) => {
    const { object, message, status } = await create<KubeObject & Pod>(
      server,
      `v1 Pod ${where}`,
      podSpec(container, spec),
    )
    return status === 201
      ? (object.spec?.tolerations ?? []).filter(({ effect }) => effect === 'NoSchedule')
      : `${String(status)} ${message}`
  }

  it('adds defaults and keeps to the whitelist', async () => {
    const server = await start('PodTolerationRestriction', {
      apiVersion: 'podtolerationrestriction.admission.k8s.io/v1alpha1',
      kind: 'Configuration',
      default: [gpu],
      whitelist: [gpu, { ...spot, operator: 'Exists', value: undefined }, { operator: 'Exists', effect: 'NoExecute' }],
    })
    expect(await tolerationsOf(server, 'n/a')).toEqual([gpu])
    expect(await tolerationsOf(server, 'n/b', { tolerations: [spot] })).toEqual([gpu, spot])
    expect(await tolerationsOf(server, 'n/c', { tolerations: [{ ...gpu, key: 'other' }] })).toContain(
      '500 pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist',
    )
    await create(server, 'v1 Namespace own', {
      metadata: {
        annotations: {
          'scheduler.alpha.kubernetes.io/defaultTolerations': JSON.stringify([spot]),
          'scheduler.alpha.kubernetes.io/tolerationsWhitelist': '[]',
        },
      },
    })
    await create(server, 'v1 ServiceAccount own/default')
    const asking = { resources: { requests: { cpu: '1' } } }
    expect(await tolerationsOf(server, 'own/a', {}, asking)).toEqual([
      spot,
      { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
    ])
  })
})

describe('ImagePolicyWebhook', () => {
  /** What the program was asked. */
  const asked: { spec: { containers: { image: string }[]; namespace: string; annotations?: object } }[] = []
  const policy = (fields: object = {}): object => ({ imagePolicy: { kubeConfigFile: 'x', ...fields } })
  async function startProgram(): Promise<string> {
    const program = createServer((req, res) => {
      let text = ''
      req.on('data', (chunk: Buffer) => (text += chunk.toString()))
      req.on('end', () => {
        const review = JSON.parse(text) as (typeof asked)[number]
        asked.push(review)
        const bad = review.spec.containers.find(({ image }) => image.startsWith('evil'))
        const status = bad === undefined ? { allowed: true } : { allowed: false, reason: `${bad.image} is not signed` }
        res.end(JSON.stringify({ ...review, status }))
      })
    })
    await new Promise<void>((resolve) => program.listen(0, '127.0.0.1', resolve))
    stops.push(async () => {
      program.closeAllConnections()
      await new Promise((resolve) => program.close(resolve))
    })
    return `http://127.0.0.1:${String((program.address() as AddressInfo).port)}`
  }

  it('asks the program, and remembers what it said', async () => {
    const server = await start('ImagePolicyWebhook', policy(), { endpoint: { url: await startProgram() } })
    asked.length = 0
    const annotations = { 'team.image-policy.k8s.io/ticket': '42', other: 'x' }
    const good = await create(server, 'v1 Pod n/good', { metadata: { annotations }, ...podSpec() })
    expect(good.status, good.message).toBe(201)
    expect((await create(server, 'v1 Pod n/bad', podSpec({ image: 'evil:1' }))).message).toBe(
      'pods "bad" is forbidden: image policy webhook backend denied one or more images: evil:1 is not signed',
    )
    await create(server, 'v1 Pod n/bad', podSpec({ image: 'evil:1' }))
    expect(asked.map(({ spec }) => spec)).toEqual([
      {
        containers: [{ image: 'busybox' }],
        annotations: { 'team.image-policy.k8s.io/ticket': '42' },
        namespace: 'n',
      },
      { containers: [{ image: 'evil:1' }], namespace: 'n' },
    ])
  })

  it('decides by its default when nobody answers', async () => {
    const nowhere = { endpoint: { url: 'http://127.0.0.1:1' } }
    const closed = await start('ImagePolicyWebhook', policy(), nowhere)
    expect((await create(closed, 'v1 Pod n/p', podSpec())).status).toBe(403)
    const open = await start('ImagePolicyWebhook', policy({ defaultAllow: true }), nowhere)
    expect((await create(open, 'v1 Pod n/p', podSpec())).status).toBe(201)
  })

  it('needs somebody to ask', () => {
    expect(problem('ImagePolicyWebhook', {})).toContain('imagePolicy.kubeConfigFile: Required value')
  })
})

describe('ResourceQuota', () => {
  it('keeps what is limited to where a quota counts it', async () => {
    const server = await start('ResourceQuota', {
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'ResourceQuotaConfiguration',
      limitedResources: [
        { resource: 'persistentvolumeclaims', matchContains: ['requests.storage'] },
        {
          resource: 'pods',
          matchScopes: [{ scopeName: 'PriorityClass', operator: 'In', values: ['system-cluster-critical'] }],
        },
      ],
    })
    const claim = { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }
    expect((await create(server, 'v1 PersistentVolumeClaim n/c', claim)).message).toBe(
      'persistentvolumeclaims "c" is forbidden: insufficient quota to consume: requests.storage',
    )
    const critical = podSpec({}, { priorityClassName: 'system-cluster-critical' })
    expect((await create(server, 'v1 Pod n/p', critical)).message).toBe(
      'pods "p" is forbidden: insufficient quota to match these scopes: [{PriorityClass In [system-cluster-critical]}]',
    )
    expect((await create(server, 'v1 Pod n/q', podSpec())).status).toBe(201)
    const quota = { spec: { hard: { 'requests.storage': '10Gi' } } }
    await create(server, 'v1 ResourceQuota n/storage', quota)
    await server.call('/api/v1/namespaces/n/resourcequotas/storage/status', {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { status: { hard: quota.spec.hard, used: { 'requests.storage': '0' } } },
    })
    const made = await create(server, 'v1 PersistentVolumeClaim n/c', claim)
    expect(made.status, made.message).toBe(201)
  })
})
