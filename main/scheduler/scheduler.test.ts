import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Pod } from '../../common/api/generated/types.ts'
import { events, images, nodes, pods, schedulingDecisions } from '../../common/client/resources.ts'
import { eventually } from '../../common/client/testing/eventually.ts'
import { systemClock } from '../../common/machinery/clock.ts'
import { silentLogger } from '../../common/machinery/logger.ts'
import { addNode, testNode, testPod } from '../controllers/testing/objects.ts'
import type { TestControlPlane } from '../controllers/testing/control-plane.ts'
import { startTestControlPlane } from '../controllers/testing/control-plane.ts'
import type { RunningScheduler } from './index.ts'
import { startScheduler } from './index.ts'
import { serviceAccounts } from '../../common/client/resources.ts'

let plane: TestControlPlane
let scheduler: RunningScheduler

beforeEach(async () => {
  plane = await startTestControlPlane()
  await plane.client.create(serviceAccounts, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: 'default' },
  })
  scheduler = startScheduler({ client: plane.client, clock: systemClock, logger: silentLogger, random: () => 0 })
  await scheduler.ready
})

afterEach(async () => {
  await scheduler.stop()
  await plane.close()
})

const create = (pod: Pod): Promise<Pod> => plane.client.create(pods, pod)
const nodeOf = async (name: string): Promise<string | undefined> =>
  (await plane.client.get(pods, name, 'default')).spec?.nodeName
const placedOn = (name: string, node: string) =>
  eventually(async () => {
    expect(await nodeOf(name)).toBe(node)
  })
const whyNot = (name: string): Promise<string> =>
  eventually(async () => {
    const condition = (await plane.client.get(pods, name, 'default')).status?.conditions?.find(
      ({ type }) => type === 'PodScheduled',
    )
    expect(condition).toMatchObject({ status: 'False', reason: 'Unschedulable' })
    return condition?.message ?? ''
  })
const cpu = (millis: string) => ({
  containers: [{ name: 'main', image: 'docker.io/library/hello:1.0', resources: { requests: { cpu: millis } } }],
})

describe('scheduler', () => {
  it('says in upstream’s words why there is no node, and places the pod when one appears', async () => {
    await addNode(plane.client, testNode('full', { cpu: '500m' }))
    await addNode(
      plane.client,
      testNode('tainted', { spec: { taints: [{ key: 'dedicated', value: 'x', effect: 'NoSchedule' }] } }),
    )
    await create(testPod('web', cpu('600m')))
    expect(await whyNot('web')).toBe(
      '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
    )
    await addNode(plane.client, testNode('roomy'))
    await placedOn('web', 'roomy')
    await eventually(async () => {
      const texts = (await plane.client.list(events, { namespace: 'default' })).items.map(
        ({ type, reason, message }) => `${type ?? ''} ${reason ?? ''} ${message ?? ''}`,
      )
      expect(texts.some((text) => text.startsWith('Warning FailedScheduling 0/2 nodes are available'))).toBe(true)
      expect(texts).toContain('Normal Scheduled Successfully assigned default/web to roomy')
    })
  })

  it('wakes a waiting pod when another one leaves room', async () => {
    await addNode(plane.client, testNode('only', { cpu: '1' }))
    await create(testPod('first', cpu('800m')))
    await placedOn('first', 'only')
    await create(testPod('second', cpu('800m')))
    expect(await whyNot('second')).toContain(
      '1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    )
    await plane.client.delete(pods, 'first', 'default', { gracePeriodSeconds: 0 })
    await placedOn('second', 'only')
  })

  it('has no node at all', async () => {
    await create(testPod('web'))
    expect(await whyNot('web')).toBe('no nodes available to schedule pods')
    await addNode(plane.client, testNode('late'))
    await placedOn('web', 'late')
  })

  it('keeps to selectors, host ports and cordons', async () => {
    await addNode(plane.client, testNode('a', { labels: { disk: 'ssd' } }))
    await addNode(plane.client, testNode('b'))
    await create(testPod('picky', { nodeSelector: { disk: 'ssd' } }))
    await placedOn('picky', 'a')
    const withPort = {
      containers: [
        { name: 'main', image: 'docker.io/library/hello:1.0', ports: [{ containerPort: 80, hostPort: 8080 }] },
      ],
    }
    await create(testPod('port-1', withPort))
    await create(testPod('port-2', withPort))
    await create(testPod('port-3', withPort))
    expect(await whyNot('port-3')).toContain("2 node(s) didn't have free ports for the requested pod ports")
    await plane.client.patch(nodes, { name: 'b' }, 'application/merge-patch+json', { spec: { unschedulable: true } })
    await eventually(async () => {
      await create(testPod('after', { nodeSelector: {} })).catch(() => undefined)
      expect(await nodeOf('after')).toBe('a')
    })
  })

  it('keeps pods apart that want to be apart', async () => {
    await addNode(plane.client, testNode('a'))
    await addNode(plane.client, testNode('b'))
    const term = { labelSelector: { matchLabels: { app: 'db' } }, topologyKey: 'kubernetes.io/hostname' }
    const apart = { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } }
    for (const name of ['db-1', 'db-2', 'db-3']) await create(testPod(name, apart, { app: 'db' }))
    expect(await whyNot('db-3')).toContain("2 node(s) didn't match pod anti-affinity rules")
    expect(new Set([await nodeOf('db-1'), await nodeOf('db-2')])).toEqual(new Set(['a', 'b']))
  })

  it('holds the skew between zones', async () => {
    await addNode(plane.client, testNode('a', { labels: { zone: 'east' } }))
    await addNode(plane.client, testNode('b', { labels: { zone: 'west' } }))
    const spread = {
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'web' } },
        },
      ],
    }
    for (let i = 0; i < 4; i++) {
      await create(testPod(`web-${String(i)}`, spread, { app: 'web' }))
      await eventually(async () => {
        expect(await nodeOf(`web-${String(i)}`)).toBeTruthy()
      })
    }
    const zones = await Promise.all([0, 1, 2, 3].map((i) => nodeOf(`web-${String(i)}`)))
    expect(zones.filter((zone) => zone === 'a')).toHaveLength(2)
    await plane.client.delete(nodes, 'b')
    await plane.client.patch(nodes, { name: 'a' }, 'application/merge-patch+json', {
      metadata: { labels: { zone: null } },
    })
    await create(testPod('web-5', spread, { app: 'web' }))
    expect(await whyNot('web-5')).toContain(
      "1 node(s) didn't match pod topology spread constraints (missing required label)",
    )
  })

  it('keeps images off nodes that cannot run them, unless the pod picked the node', async () => {
    await plane.client.create(images, {
      apiVersion: 'lab.orrery.dev/v1alpha1',
      kind: 'Image',
      metadata: { name: 'hello' },
      spec: { reference: 'docker.io/library/hello:1.0' },
      status: { platforms: [{ os: 'linux', architecture: 'arm64', digest: 'sha256:0', sizeBytes: 1 }] },
    })
    const stored = await plane.client.get(images, 'hello')
    if (stored.status?.platforms === undefined) {
      const status = { platforms: [{ os: 'linux', architecture: 'arm64', digest: 'sha256:0', sizeBytes: 1 }] }
      await plane.client.patch(images, { name: 'hello', subresource: 'status' }, 'application/merge-patch+json', {
        status,
      })
    }
    await addNode(plane.client, testNode('x86'))
    await create(testPod('free'))
    expect(await whyNot('free')).toContain(
      "1 node(s) couldn't run image docker.io/library/hello:1.0, which is built for arm64 only",
    )
    await create(testPod('stubborn', { nodeSelector: { 'kubernetes.io/arch': 'amd64' } }))
    await placedOn('stubborn', 'x86')
    await scheduler.settled()
    const decision = await plane.client.get(schedulingDecisions, 'stubborn', 'default')
    expect(JSON.stringify(decision.status.nodes)).toContain('expect \\"exec format error\\"')
  })

  it('records each decision with verdicts, scores and reasons, owned by the pod', async () => {
    await addNode(plane.client, testNode('good'))
    await addNode(plane.client, testNode('tainted', { spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] } }))
    const pod = await create(testPod('web', cpu('100m')))
    await placedOn('web', 'good')
    await scheduler.settled()
    const { metadata, status } = await plane.client.get(schedulingDecisions, 'web', 'default')
    expect(metadata.ownerReferences?.[0]?.uid).toBe(pod.metadata.uid)
    expect(status).toMatchObject({
      outcome: 'Scheduled',
      nodeName: 'good',
      attempt: 1,
      message: 'Successfully assigned default/web to good',
    })
    const [good, tainted] = status.nodes ?? []
    expect(good?.filters.every(({ passed }) => passed)).toBe(true)
    expect(good?.scores?.map(({ plugin }) => plugin)).toContain('NodeResourcesFit')
    expect(good?.total).toBeGreaterThan(0)
    expect(tainted?.filters.at(-1)).toEqual({
      plugin: 'TaintToleration',
      passed: false,
      reason: 'node(s) had untolerated taint(s)',
    })
  })

  it('leaves pods of other schedulers and gated pods alone', async () => {
    await addNode(plane.client, testNode('a'))
    await create(testPod('other', { schedulerName: 'mine' }))
    await create(testPod('gated', { schedulingGates: [{ name: 'example.org/wait' }] }))
    await create(testPod('plain'))
    await placedOn('plain', 'a')
    expect(await nodeOf('other')).toBeUndefined()
    expect(await nodeOf('gated')).toBeUndefined()
    await plane.client.patch(pods, { name: 'gated', namespace: 'default' }, 'application/merge-patch+json', {
      spec: { schedulingGates: null },
    })
    await placedOn('gated', 'a')
  })
})
