import { afterEach, describe, expect, it } from 'vitest'
import type { Pod } from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { admissionPlugins, selectAdmissionPlugins } from './plugins.ts'
import type { AdmissionSelection } from './selection.ts'
import { create, newNamespace, podSpec } from './testing.ts'

const names = (selection: AdmissionSelection): string[] => selectAdmissionPlugins(selection).map(({ name }) => name)

describe('the choice of plugins', () => {
  it('is upstream’s, in upstream’s order', () => {
    expect(names({})).toEqual([
      'NamespaceLifecycle',
      'LimitRanger',
      'ServiceAccount',
      'NodeRestriction',
      'TaintNodesByCondition',
      'PodSecurity',
      'Priority',
      'DefaultTolerationSeconds',
      'DefaultStorageClass',
      'StorageObjectInUseProtection',
      'PersistentVolumeClaimResize',
      'RuntimeClass',
      'CertificateApproval',
      'CertificateSigning',
      'ClusterTrustBundleAttest',
      'CertificateSubjectRestriction',
      'DefaultIngressClass',
      'PodTopologyLabels',
      'MutatingAdmissionPolicy',
      'MutatingAdmissionWebhook',
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionWebhook',
      'ResourceQuota',
    ])
    expect(new Set(admissionPlugins.map(({ name }) => name)).size).toBe(admissionPlugins.length)
  })
  it('follows the flags', () => {
    expect(names({ enable: ['AlwaysPullImages'], disable: ['ServiceAccount'] })).toContain('AlwaysPullImages')
    expect(names({ disable: ['ServiceAccount'] })).not.toContain('ServiceAccount')
    expect(() => names({ enable: ['Nope'] })).toThrow('enable-admission-plugins plugin "Nope" is unknown')
    expect(() => names({ enable: ['Priority'], disable: ['Priority'] })).toThrow(
      '"Priority" in enable-admission-plugins and disable-admission-plugins overlapped',
    )
  })
})

describe('plugins that are off by default', () => {
  let server: TestServer | undefined
  afterEach(() => server?.close())
  const start = async (...enable: string[]): Promise<TestServer> => {
    server = await startTestServer({ admissionPlugins: { enable } })
    await newNamespace(server, 'n')
    return server
  }

  it('change pods', async () => {
    const running = await start('AlwaysPullImages', 'ExtendedResourceToleration', 'PodNodeSelector')
    await create(running, 'v1 Namespace zoned', {
      metadata: { annotations: { 'scheduler.alpha.kubernetes.io/node-selector': 'zone=a' } },
    })
    await create(running, 'v1 ServiceAccount zoned/default')
    const resources = { requests: { 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '1' } }
    const container = { resources, imagePullPolicy: 'IfNotPresent' }
    const { object, message } = await create<KubeObject & Pod>(running, 'v1 Pod zoned/p', podSpec(container))
    expect(object.spec?.containers[0]?.imagePullPolicy, message).toBe('Always')
    expect(object.spec?.tolerations).toContainEqual({ key: 'example.com/gpu', operator: 'Exists' })
    expect(object.spec?.nodeSelector).toEqual({ zone: 'a' })
    expect((await create(running, 'v1 Pod zoned/q', podSpec({}, { nodeSelector: { zone: 'b' } }))).message).toBe(
      'pods "q" is forbidden: pod node label selector conflicts with its namespace node label selector',
    )
  })

  it('make namespaces and limit what services take', async () => {
    const running = await start('NamespaceAutoProvision', 'DenyServiceExternalIPs')
    expect((await create(running, 'v1 ConfigMap fresh/c')).status).toBe(201)
    const spec = { ports: [{ port: 80 }], externalIPs: ['1.2.3.4'] }
    expect((await create(running, 'v1 Service n/s', { spec })).message).toBe(
      'services "s" is forbidden: Use of external IPs is denied by admission control',
    )
  })

  it('guard owners', async () => {
    const running = await start('OwnerReferencesPermissionEnforcement')
    const owned = { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: 'u' }] } }
    expect((await create(running, 'v1 ConfigMap n/mine', owned)).status).toBe(201)
  })

  it('know no namespace that is not there, nor pods that keep others off more than a node', async () => {
    const disabled = await startTestServer({
      admissionPlugins: {
        enable: ['NamespaceExists', 'LimitPodHardAntiAffinityTopology'],
        disable: ['NamespaceLifecycle'],
      },
    })
    server = disabled
    await newNamespace(disabled, 'n')
    expect(await create(disabled, 'v1 ConfigMap nowhere/c')).toMatchObject({
      status: 404,
      message: 'namespaces "nowhere" not found',
    })
    expect((await create(disabled, 'v1 ConfigMap n/c')).status).toBe(201)
    const apart = (topologyKey: string): ReturnType<typeof podSpec> => {
      const term = { topologyKey, labelSelector: { matchLabels: { a: 'b' } } }
      return podSpec({}, { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } })
    }
    expect((await create(disabled, 'v1 Pod n/zone', apart('topology.kubernetes.io/zone'))).message).toBe(
      'pods "zone" is forbidden: affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey topology.kubernetes.io/zone but only key kubernetes.io/hostname is allowed',
    )
    expect((await create(disabled, 'v1 Pod n/host', apart('kubernetes.io/hostname'))).status).toBe(201)
  })

  it('admit all, or nothing', async () => {
    const open = await startTestServer({ admissionPlugins: { enable: ['AlwaysAdmit'] } })
    expect((await create(open, 'v1 ConfigMap default/c')).status).toBe(201)
    await open.close()
    const running = await startTestServer({ admissionPlugins: { enable: ['AlwaysDeny'] } })
    server = running
    const refused = 'configmaps "c" is forbidden: admission control is denying all modifications'
    expect((await create(running, 'v1 ConfigMap default/c')).message).toBe(refused)
    expect((await running.call('/api/v1/namespaces/default/configmaps')).status).toBe(200)
  })
})
