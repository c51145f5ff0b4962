// A node that falls silent: Unknown after 50 s, tainted, its pods not ready, evicted when their patience ends. All by the test's clock.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Node, Pod } from '../../../common/api/generated/types.ts'
import { events, leases, nodes, pods } from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import type { ManualClock } from '../../../common/client/testing/manual-clock.ts'
import { createManualClock } from '../../../common/client/testing/manual-clock.ts'
import { formatMicroTime } from '../../../common/machinery/clock.ts'
import { silentLogger } from '../../../common/machinery/logger.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { RunningControllers } from '../index.ts'
import { startControllers } from '../index.ts'
import { addNode, reportPod, testNode, testPod } from '../testing/objects.ts'
import type { TestControlPlane } from '../testing/control-plane.ts'
import { startTestControlPlane } from '../testing/control-plane.ts'

let plane: TestControlPlane
let controllers: RunningControllers
let clock: ManualClock

beforeEach(async () => {
  clock = createManualClock()
  plane = await startTestControlPlane(clock)
  controllers = startControllers({ client: plane.client, clock, logger: silentLogger, clusterCA: '' })
  await controllers.ready
})

afterEach(async () => {
  await controllers.stop()
  await plane.close()
})

const getNode = (): Promise<Node> => plane.client.get(nodes, 'node-1')
const getPod = (name: string): Promise<Pod> => plane.client.get(pods, name, 'default')
const readyOf = (node: Node) => node.status?.conditions?.find(({ type }) => type === 'Ready')

async function renewLease(name = 'node-1'): Promise<void> {
  const renewTime = formatMicroTime(clock.now())
  const metadata = { name, namespace: 'kube-node-lease' }
  const existing = await plane.client.get(leases, name, 'kube-node-lease').catch(() => undefined)
  if (existing === undefined)
    await plane.client.create(leases, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata,
      spec: { renewTime, holderIdentity: name },
    })
  else await plane.client.update(leases, { ...existing, spec: { ...existing.spec, renewTime } })
}

/** One lost node of several: where all are lost nobody is evicted. */
async function addNodes(): Promise<void> {
  await addNode(plane.client, testNode('node-1'))
  await addNode(plane.client, testNode('node-2'))
  await renewLease()
}

/** Time passes in steps, so that what happens in between is seen in order. */
async function pass(seconds: number, each: () => Promise<void> = () => Promise.resolve()): Promise<void> {
  for (let i = 0; i < seconds; i += 5) {
    await clock.advance(5_000)
    await renewLease('node-2')
    await each()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A pod on node-1, running and ready. */
async function runPod(pod: Pod): Promise<void> {
  await eventually(() =>
    plane.client.create(pods, { ...pod, spec: { containers: [], ...pod.spec, nodeName: 'node-1' } }),
  )
  await reportPod(plane.client, pod, { podIP: '10.244.0.9', nowMs: clock.now() })
}

describe('node lifecycle', () => {
  it('evicts nobody when all nodes are lost', async () => {
    await addNode(plane.client, testNode('node-1'))
    await renewLease()
    await pass(60)
    await eventually(async () => {
      expect((await getNode()).spec?.taints?.map(({ effect }) => effect)).toEqual(['NoSchedule'])
    })
  })

  it('leaves a node alone that renews its lease', async () => {
    await addNode(plane.client, testNode('node-1'))
    await renewLease()
    await pass(120, () => renewLease())
    expect(readyOf(await getNode())?.status).toBe('True')
  })

  it('marks a silent node Unknown, taints it, unreadies its pods, and forgives when it comes back', async () => {
    await addNodes()
    await runPod(testPod('web'))
    await pass(45)
    expect(readyOf(await getNode())?.status).toBe('True')
    await pass(10)
    await eventually(async () => {
      const node = await getNode()
      expect(readyOf(node)).toMatchObject({
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
      })
      expect(node.spec?.taints?.map(({ key, effect }) => `${key}:${effect}`).sort()).toEqual([
        'node.kubernetes.io/unreachable:NoExecute',
        'node.kubernetes.io/unreachable:NoSchedule',
      ])
      expect((await getPod('web')).status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('False')
    })
    await eventually(async () => {
      const texts = (await plane.client.list(events)).items.map(
        ({ reason, message }) => `${reason ?? ''}: ${message ?? ''}`,
      )
      expect(texts).toContain('NodeNotReady: Node node-1 status is now: NodeNotReady')
      expect(texts).toContain('NodeNotReady: Node is not ready')
    })
    const node = await getNode()
    await plane.client.patch(nodes, { name: 'node-1', subresource: 'status' }, 'application/merge-patch+json', {
      status: {
        conditions: node.status?.conditions?.map((condition) =>
          condition.type === 'Ready' ? { ...condition, status: 'True', reason: 'KubeletReady' } : condition,
        ),
      },
    })
    await eventually(async () => {
      expect((await getNode()).spec?.taints ?? []).toEqual([])
    })
  })

  it('evicts pods from a lost node when their toleration runs out, others not', async () => {
    await addNodes()
    const unreachable = { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' }
    await runPod(testPod('patient', { tolerations: [unreachable] }))
    await runPod(testPod('impatient', { tolerations: [{ ...unreachable, tolerationSeconds: 30 }] }))
    await pass(55)
    await eventually(async () => {
      expect((await getNode()).spec?.taints).toHaveLength(2)
    })
    await pass(20)
    expect((await getPod('impatient')).metadata.deletionTimestamp).toBeUndefined()
    await pass(20)
    await eventually(async () => {
      const pod = await getPod('impatient')
      expect(pod.metadata.deletionTimestamp).toBeDefined()
      expect(pod.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')?.reason).toBe(
        'DeletionByTaintManager',
      )
    })
    expect((await getPod('patient')).metadata.deletionTimestamp).toBeUndefined()
  })

  it('removes the pods of a node that was deleted, after a while', async () => {
    await addNodes()
    await runPod(testPod('web'))
    await plane.client.delete(nodes, 'node-1')
    await pass(30)
    await getPod('web')
    await eventually(async () => {
      await pass(20)
      const gone = await getPod('web').catch((error: unknown) => isReason(error, 'NotFound'))
      expect(gone).toBe(true)
    })
  })
})
