import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ResourceV1DeviceRequest } from '../../../common/api/generated/types.ts'
import {
  deviceClasses,
  events,
  pods,
  resourceClaims,
  resourceClaimTemplates,
  resourceSlices,
} from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import { reportPod, testPod } from '../../controllers/testing/objects.ts'
import type { RunningCluster } from '../../controllers/testing/running-cluster.ts'
import { startTestCluster } from '../../controllers/testing/running-cluster.ts'

const driver = 'gpu.example.com'
let cluster: RunningCluster

beforeEach(async () => {
  cluster = await startTestCluster({
    controllers: [
      'resourceclaim-controller',
      'serviceaccount-controller',
      'garbage-collector-controller',
      'device-taint-eviction-controller',
    ],
  })
  await cluster.client.create(resourceSlices, {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceSlice',
    metadata: { name: 'node-2-gpus' },
    spec: {
      driver,
      nodeName: 'node-2',
      pool: { name: 'node-2', generation: 1, resourceSliceCount: 1 },
      devices: [{ name: 'gpu-0', attributes: { healthy: { bool: true } } }],
    },
  })
})
afterEach(() => cluster.stop())

const createClass = () =>
  cluster.client.create(deviceClasses, {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'DeviceClass',
    metadata: { name: 'gpu' },
    spec: { selectors: [{ cel: { expression: `device.attributes["${driver}"].healthy` } }] },
  })
const requests: ResourceV1DeviceRequest[] = [{ name: 'one', exactly: { deviceClassName: 'gpu' } }]
const createClaim = (name: string) =>
  cluster.client.create(resourceClaims, {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: { name, namespace: 'default' },
    spec: { devices: { requests } },
  })
const createPod = (name: string, claim: object) =>
  cluster.client.create(pods, testPod(name, { resourceClaims: [{ name: 'card', ...claim }] }))
const pod = (name: string) => cluster.client.get(pods, name, 'default')
const placed = (name: string, node: string) =>
  eventually(async () => {
    expect((await pod(name)).spec?.nodeName).toBe(node)
  })
const says = (name: string, message: string) =>
  eventually(async () => {
    const condition = (await pod(name)).status?.conditions?.find(({ type }) => type === 'PodScheduled')
    expect(condition?.message).toBe(message)
  })
const unhelpful = 'preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.'

it('puts a pod where its device is, gives it the device, and the next one waits until the first is over', async () => {
  await createClass()
  await createClaim('a')
  await createClaim('b')
  const first = await createPod('first', { resourceClaimName: 'a' })
  await placed('first', 'node-2')
  const claim = await cluster.client.get(resourceClaims, 'a', 'default')
  expect(claim.metadata.finalizers).toEqual(['resource.kubernetes.io/delete-protection'])
  expect(claim.status).toMatchObject({
    allocation: { devices: { results: [{ request: 'one', driver, pool: 'node-2', device: 'gpu-0' }] } },
    reservedFor: [{ resource: 'pods', name: 'first', uid: first.metadata.uid }],
  })
  await createPod('second', { resourceClaimName: 'b' })
  await says('second', `0/2 nodes are available: 2 cannot allocate all claims. still not schedulable, ${unhelpful}`)
  await createPod('third', { resourceClaimName: 'a' })
  await placed('third', 'node-2')
  for (const name of ['first', 'third']) await reportPod(cluster.client, await pod(name), { phase: 'Succeeded' })
  await placed('second', 'node-2')
})

it('waits for the class, and for claims that are still to be made', async () => {
  await createPod('early', { resourceClaimName: 'late' })
  await createClaim('late')
  await says(
    'early',
    `0/2 nodes are available: request one: device class gpu does not exist. no new claims to deallocate, ${unhelpful}`,
  )
  await createClass()
  await placed('early', 'node-2')
})

it('uses claims made from templates', async () => {
  await createClass()
  await cluster.client.create(resourceClaimTemplates, {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaimTemplate',
    metadata: { name: 'template', namespace: 'default' },
    spec: { spec: { devices: { requests } } },
  })
  await createPod('first', { resourceClaimTemplateName: 'template' })
  await placed('first', 'node-2')
  await createPod('second', { resourceClaimTemplateName: 'template' })
  await says('second', `0/2 nodes are available: 2 cannot allocate all claims. still not schedulable, ${unhelpful}`)
  await cluster.client.delete(pods, 'first', 'default', { gracePeriodSeconds: 0 })
  await placed('second', 'node-2')
})

it('ends a pod whose device gets a taint that it does not tolerate', async () => {
  await createClass()
  await createClaim('a')
  await createPod('first', { resourceClaimName: 'a' })
  await placed('first', 'node-2')
  const slice = await cluster.client.get(resourceSlices, 'node-2-gpus')
  const devices = slice.spec.devices?.map((device) => ({ ...device, taints: [{ key: 'broken', effect: 'NoExecute' }] }))
  const pool = { ...slice.spec.pool, generation: 2 }
  await cluster.client.update(resourceSlices, { ...slice, spec: { ...slice.spec, pool, devices } })
  await eventually(async () => {
    await expect(pod('first')).rejects.toThrow('not found')
  })
  await createPod('second', { resourceClaimName: 'a' })
  await says('second', `0/2 nodes are available: 2 cannot allocate all claims. still not schedulable, ${unhelpful}`)
})

describe('devices that are made ready only when they are allocated', () => {
  beforeEach(async () => {
    await createClass()
    const slice = await cluster.client.get(resourceSlices, 'node-2-gpus')
    const devices = slice.spec.devices?.map((device) => ({
      ...device,
      bindingConditions: ['attached'],
      bindingFailureConditions: ['broken'],
    }))
    const pool = { ...slice.spec.pool, generation: 2 }
    await cluster.client.update(resourceSlices, { ...slice, spec: { ...slice.spec, pool, devices } })
    await createClaim('a')
    await createPod('first', { resourceClaimName: 'a' })
    await eventually(async () => {
      const told = (await cluster.client.list(events, { namespace: 'default' })).items.map(({ message }) => message)
      expect(told).toContain('waiting for binding conditions for device on node node-2')
    })
    expect((await pod('first')).spec?.nodeName).toBeUndefined()
  })
  const report = async (type: string) => {
    const claim = await cluster.client.get(resourceClaims, 'a', 'default')
    const condition = {
      type,
      status: 'True',
      reason: 'Told',
      message: 'so',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    }
    const devices = [{ driver, pool: 'node-2', device: 'gpu-0', conditions: [condition] }]
    await cluster.client.updateStatus(resourceClaims, { ...claim, status: { ...claim.status, devices } })
  }

  it('are waited for', async () => {
    await report('attached')
    await placed('first', 'node-2')
  })

  it('are given back when that fails', async () => {
    await report('broken')
    await eventually(async () => {
      const condition = (await pod('first')).status?.conditions?.find(({ type }) => type === 'PodScheduled')
      expect(condition?.message).toBe(
        'running PreBind plugin "DynamicResources": claim default/a binding failed: reason=Told, message=so',
      )
      // Of the devices that may have been given anew since nothing is told yet.
      expect((await cluster.client.get(resourceClaims, 'a', 'default')).status?.devices).toBeUndefined()
    })
  })
})
