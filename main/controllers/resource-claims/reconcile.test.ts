import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Pod, ResourceV1ResourceClaim } from '../../../common/api/generated/types.ts'
import { pods, resourceClaimTemplates, resourceClaims } from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import type { TestControllers } from '../testing/running-controllers.ts'
import { startTestControllers } from '../testing/running-controllers.ts'
import { reportPod, testPod } from '../testing/objects.ts'
import { planClaim } from './plan.ts'

const user = (name: string, change: Partial<Pod> = {}): Pod => ({ ...testPod(name), ...change })
const claim = (
  status: ResourceV1ResourceClaim['status'],
  metadata: Partial<ResourceV1ResourceClaim['metadata']> = {},
): ResourceV1ResourceClaim => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceClaim',
  metadata: { name: 'c', namespace: 'default', ...metadata },
  spec: {},
  status,
})
const reserved = (...names: string[]) => names.map((name) => ({ resource: 'pods', name, uid: `uid-${name}` }))

it.each<[string, ResourceV1ResourceClaim, object]>([
  ['held by a pod that runs', claim({ allocation: {}, reservedFor: reserved('running') }), { deallocate: false }],
  ['of a pod that ended', claim({ allocation: {}, reservedFor: reserved('ended') }), { reservedFor: [], deallocate: true }],
  ['of a pod that is another by now', claim({ allocation: {}, reservedFor: [{ resource: 'pods', name: 'running', uid: 'old' }] }), { reservedFor: [], deallocate: true }],
  ['shared', claim({ allocation: {}, reservedFor: reserved('ended', 'running') }), { reservedFor: reserved('running'), deallocate: false }],
  ['held by something else', claim({ allocation: {}, reservedFor: [{ apiGroup: 'x', resource: 'things', name: 't', uid: 'u' }] }), { deallocate: false }],
  ['allocated and not reserved yet', claim({ allocation: {} }), { deallocate: false, release: false }],
  [
    'deleted and still allocated',
    claim({ allocation: {} }, { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['resource.kubernetes.io/delete-protection'] }),
    { deallocate: true, release: true },
  ],
])('a claim %s', (_title, object, expected) => {
  const known = new Map([
    ['running', user('running', { metadata: { name: 'running', uid: 'uid-running' } })],
    ['ended', user('ended', { metadata: { name: 'ended', uid: 'uid-ended' }, status: { phase: 'Succeeded' } })],
  ])
  expect(planClaim(object, (name) => known.get(name))).toMatchObject(expected)
}) // prettier-ignore

describe('running', () => {
  let cluster: TestControllers
  beforeEach(async () => {
    cluster = await startTestControllers(['resourceclaim-controller', 'serviceaccount-controller'])
  })
  afterEach(() => cluster.stop())

  it('makes a claim from a template, names it in the pod, and removes it when the pod is over', async () => {
    await cluster.client.create(resourceClaimTemplates, {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceClaimTemplate',
      metadata: { name: 'gpu', namespace: 'default' },
      spec: {
        metadata: { labels: { team: 'a' } },
        spec: { devices: { requests: [{ name: 'one', exactly: { deviceClassName: 'gpu.example.com' } }] } },
      },
    })
    const pod = testPod('web', { resourceClaims: [{ name: 'card', resourceClaimTemplateName: 'gpu' }] })
    await eventually(() => cluster.client.create(pods, pod))
    const made = await eventually(async () => {
      const { status } = await cluster.client.get(pods, 'web', 'default')
      const name = status?.resourceClaimStatuses?.[0]?.resourceClaimName ?? ''
      expect(name).not.toBe('')
      return cluster.client.get(resourceClaims, name, 'default')
    })
    expect(made.metadata).toMatchObject({
      labels: { team: 'a' },
      annotations: { 'resource.kubernetes.io/pod-claim-name': 'card' },
      ownerReferences: [{ kind: 'Pod', name: 'web', controller: true }],
    })
    expect(made.metadata.name).toMatch(/^web-card-/)
    await reportPod(cluster.client, pod, { phase: 'Succeeded', ready: false })
    await eventually(async () => {
      expect((await cluster.client.list(resourceClaims)).items).toEqual([])
    })
  })
})
