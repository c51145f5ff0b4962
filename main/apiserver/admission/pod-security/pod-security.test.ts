import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../../testing/test-server.ts'
import { create, type Fields, newNamespace, podSpec } from '../testing.ts'

const label = 'pod-security.kubernetes.io'
const good = {
  securityContext: {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  },
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await newNamespace(server, 'restricted', { [`${label}/enforce`]: 'restricted' })
  await newNamespace(server, 'baseline', { [`${label}/enforce`]: 'baseline', [`${label}/enforce-version`]: 'v1.30' })
})
afterAll(() => server.close())

const restricted = 'pods "p" is forbidden: violates PodSecurity "restricted:latest": '
const baseline = 'pods "p" is forbidden: violates PodSecurity "baseline:v1.30": '

describe('PodSecurity', () => {
  it.each<[string, Fields, string]>([
    [
      'restricted',
      podSpec(),
      `${restricted}allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`,
    ],
    [
      'restricted',
      podSpec(good, { volumes: [{ name: 'v', hostPath: { path: '/' } }] }),
      `${restricted}restricted volume types (volume "v" uses restricted volume type "hostPath")`,
    ],
    ['restricted', podSpec(good), ''],
    ['baseline', podSpec(), ''],
    [
      'baseline',
      podSpec(
        { securityContext: { privileged: true }, ports: [{ containerPort: 80, hostPort: 80 }] },
        { hostPID: true },
      ),
      `${baseline}host namespaces (hostPID=true), hostPort (container "c" uses hostPort 80), privileged (container "c" must not set securityContext.privileged=true)`,
    ],
    [
      'baseline',
      podSpec(
        { securityContext: { capabilities: { add: ['NET_ADMIN'] } } },
        { volumes: [{ name: 'v', hostPath: { path: '/' } }] },
      ),
      `${baseline}non-default capabilities (container "c" must not include "NET_ADMIN" in securityContext.capabilities.add), hostPath volumes (volume "v")`,
    ],
    [
      'baseline',
      podSpec(
        {},
        { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }], seLinuxOptions: { type: 'x' } } },
      ),
      `${baseline}seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "x"), forbidden sysctls (kernel.msgmax)`,
    ],
  ])('%s: %j', async (namespace, pod, message) => {
    const answer = await create(server, `v1 Pod ${namespace}/p`, pod, '?dryRun=All')
    expect(answer.message).toBe(message)
    expect(answer.status).toBe(message === '' ? 201 : 403)
  })

  it('warns about workloads that would make such pods', async () => {
    const { status, warnings } = await create(server, 'apps/v1 Deployment baseline/d', {
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, ...podSpec({}, { hostNetwork: true }) },
      },
    })
    expect(status).toBe(201)
    expect(warnings).toContain('would violate PodSecurity \\"baseline:v1.30\\": host namespaces (hostNetwork=true)')
  })

  it('refuses labels that mean nothing, and tells of pods that are there already', async () => {
    const wrong = await create(server, 'v1 Namespace wrong', {
      metadata: { labels: { [`${label}/enforce`]: 'strict' } },
    })
    expect(wrong.message).toBe(
      'Namespace "wrong" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted',
    )
    await newNamespace(server, 'later')
    await create(server, 'v1 Pod later/p1', podSpec({ securityContext: { privileged: true } }))
    await create(server, 'v1 Pod later/p2', podSpec({ securityContext: { privileged: true } }))
    const answer = await server.call('/api/v1/namespaces/later', {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { metadata: { labels: { [`${label}/enforce`]: 'baseline' } } },
    })
    expect(answer.status).toBe(200)
    expect(String(answer.headers['warning'])).toContain(
      'existing pods in namespace \\"later\\" violate the new PodSecurity enforce level \\"baseline:latest\\"',
    )
    expect(String(answer.headers['warning'])).toContain('p1 (and 1 other pod): privileged')
  })
})
