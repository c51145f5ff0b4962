// Jobs and daemon sets on the real API machinery, with a clock of the test where time matters.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DaemonSet, Job, Pod } from '../../common/api/generated/types.ts'
import { controllerRevisions, daemonSets, events, jobs, nodes, pods } from '../../common/client/resources.ts'
import { eventually } from '../../common/client/testing/eventually.ts'
import { systemClock } from '../../common/machinery/clock.ts'
import { silentLogger } from '../../common/machinery/logger.ts'
import { isReason } from '../../common/machinery/status.ts'
import type { RunningScheduler } from '../scheduler/index.ts'
import { startScheduler } from '../scheduler/index.ts'
import type { RunningControllers } from './index.ts'
import { startControllers } from './index.ts'
import { addNode, reportPod, testNode } from './testing/objects.ts'
import type { PlayedKubelets } from './testing/play-kubelet.ts'
import { playKubelets } from './testing/play-kubelet.ts'
import type { TestControlPlane } from './testing/control-plane.ts'
import { startTestControlPlane } from './testing/control-plane.ts'

let plane: TestControlPlane
let controllers: RunningControllers
let scheduler: RunningScheduler
let kubelets: PlayedKubelets

beforeEach(async () => {
  plane = await startTestControlPlane()
  const common = { client: plane.client, clock: systemClock, logger: silentLogger }
  controllers = startControllers({ ...common, clusterCA: '' })
  scheduler = startScheduler(common)
  kubelets = playKubelets(plane.client)
  await addNode(plane.client, testNode('node-1'))
  await addNode(plane.client, testNode('node-2'))
  await Promise.all([controllers.ready, scheduler.ready])
})

afterEach(async () => {
  await Promise.all([controllers.stop(), scheduler.stop(), kubelets.stop()])
  await plane.close()
})

const testJob = (name: string, spec: Partial<NonNullable<Job['spec']>> = {}): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace: 'default' },
  spec: {
    template: {
      spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'docker.io/library/hello:1.0' }] },
    },
    ...spec,
  },
})

const livePods = async (): Promise<Pod[]> => (await plane.client.list(pods, { namespace: 'default' })).items
const unfinished = async (): Promise<Pod[]> => (await livePods()).filter((pod) => pod.status?.phase === 'Running')

/** Ends all running pods one after the other until `count` have been ended. */
async function endPods(count: number, phase: 'Succeeded' | 'Failed'): Promise<void> {
  for (let ended = 0; ended < count;) {
    const [pod] = await eventually(async () => {
      const found = await unfinished()
      expect(found.length).toBeGreaterThan(0)
      return found
    })
    if (pod === undefined) continue
    await reportPod(plane.client, pod, { phase, ready: false })
    ended++
  }
}

describe('job', () => {
  it('runs to completion, counting every pod once, and leaves no finalizers behind', async () => {
    await plane.client.create(jobs, testJob('work', { completions: 3, parallelism: 2 }))
    await endPods(3, 'Succeeded')
    const job = await eventually(async () => {
      const found = await plane.client.get(jobs, 'work', 'default')
      expect(found.status?.conditions?.map(({ type, status }) => [type, status])).toEqual([
        ['SuccessCriteriaMet', 'True'],
        ['Complete', 'True'],
      ])
      return found
    })
    expect(job.status).toMatchObject({ succeeded: 3, uncountedTerminatedPods: {} })
    expect(job.status?.completionTime).toBeDefined()
    expect((await livePods()).flatMap((pod) => pod.metadata.finalizers ?? [])).toEqual([])
    await eventually(async () => {
      expect(
        (await plane.client.list(events, { namespace: 'default' })).items.some(
          ({ reason, message }) => reason === 'Completed' && message === 'Job completed',
        ),
      ).toBe(true)
    })
  })

  it('fails when its pods fail more often than it allows', async () => {
    await plane.client.create(jobs, testJob('work', { backoffLimit: 0 }))
    await endPods(1, 'Failed')
    await eventually(async () => {
      const { status } = await plane.client.get(jobs, 'work', 'default')
      expect(status?.conditions?.find(({ type }) => type === 'Failed')).toMatchObject({
        reason: 'BackoffLimitExceeded',
        message: 'Job has reached the specified backoff limit',
      })
      expect(status?.failed).toBe(1)
    })
  })

  it('gives each pod of an Indexed job its index', async () => {
    await plane.client.create(jobs, testJob('work', { completionMode: 'Indexed', completions: 2, parallelism: 2 }))
    const found = await eventually(async () => {
      const list = await unfinished()
      expect(list).toHaveLength(2)
      return list
    })
    expect(found.map((pod) => pod.spec?.hostname).sort()).toEqual(['work-0', 'work-1'])
    await endPods(2, 'Succeeded')
    await eventually(async () => {
      expect((await plane.client.get(jobs, 'work', 'default')).status).toMatchObject({
        completedIndexes: '0,1',
        succeeded: 2,
      })
    })
  })

  it('removes itself when its time after finishing is over', async () => {
    await plane.client.create(jobs, testJob('work', { ttlSecondsAfterFinished: 0 }))
    await endPods(1, 'Succeeded')
    await eventually(async () => {
      const gone = await plane.client
        .get(jobs, 'work', 'default')
        .catch((error: unknown) => isReason(error, 'NotFound'))
      expect(gone).toBe(true)
      expect(await livePods()).toEqual([])
    })
  })

  it('stops its pods while suspended', async () => {
    await plane.client.create(jobs, testJob('work', { parallelism: 2, completions: 4 }))
    await eventually(async () => {
      expect(await unfinished()).toHaveLength(2)
    })
    const suspend = (to: boolean) =>
      plane.client.patch(jobs, { name: 'work', namespace: 'default' }, 'application/merge-patch+json', {
        spec: { suspend: to },
      })
    await suspend(true)
    await eventually(async () => {
      expect(await livePods()).toEqual([])
      expect((await plane.client.get(jobs, 'work', 'default')).status?.conditions?.[0]).toMatchObject({
        type: 'Suspended',
        status: 'True',
      })
    })
    await suspend(false)
    await eventually(async () => {
      expect((await plane.client.get(jobs, 'work', 'default')).status?.conditions?.[0]).toMatchObject({
        type: 'Suspended',
        status: 'False',
      })
    })
  })
})

const testDaemonSet = (name: string): DaemonSet => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name, namespace: 'default' },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'main', image: 'docker.io/library/hello:1.0' }] },
    },
  },
})

describe('daemon set', () => {
  it('runs one pod per node, follows new nodes and cordons nobody out', async () => {
    await plane.client.create(daemonSets, testDaemonSet('agent'))
    await eventually(async () => {
      expect((await plane.client.get(daemonSets, 'agent', 'default')).status).toMatchObject({
        desiredNumberScheduled: 2,
        numberAvailable: 2,
        updatedNumberScheduled: 2,
      })
    })
    await addNode(plane.client, testNode('node-3', { spec: { unschedulable: true } }))
    await eventually(async () => {
      expect((await livePods()).map((pod) => pod.spec?.nodeName).sort()).toEqual(['node-1', 'node-2', 'node-3'])
    })
    await plane.client.patch(nodes, { name: 'node-3' }, 'application/merge-patch+json', {
      spec: { taints: [{ key: 'x', effect: 'NoExecute' }] },
    })
    await eventually(async () => {
      expect((await livePods()).map((pod) => pod.spec?.nodeName).sort()).toEqual(['node-1', 'node-2'])
    })
  })

  it('rolls a new template out one node at a time and remembers the old one', async () => {
    await plane.client.create(daemonSets, testDaemonSet('agent'))
    await eventually(async () => {
      expect((await plane.client.get(daemonSets, 'agent', 'default')).status?.numberAvailable).toBe(2)
    })
    let fewest = 2
    const watch = setInterval(() => {
      void plane.client
        .get(daemonSets, 'agent', 'default')
        .then(({ status }) => (fewest = Math.min(fewest, status?.numberAvailable ?? 0)))
    }, 1)
    await plane.client.patch(daemonSets, { name: 'agent', namespace: 'default' }, 'application/merge-patch+json', {
      spec: { template: { spec: { containers: [{ name: 'main', image: 'docker.io/library/hello:2.0' }] } } },
    })
    await eventually(async () => {
      const { status, metadata } = await plane.client.get(daemonSets, 'agent', 'default')
      expect(status).toMatchObject({
        updatedNumberScheduled: 2,
        numberAvailable: 2,
        observedGeneration: metadata.generation,
      })
    })
    clearInterval(watch)
    expect(fewest).toBeGreaterThanOrEqual(1)
    expect(
      (await plane.client.list(controllerRevisions, { namespace: 'default' })).items
        .map(({ revision }) => revision)
        .sort(),
    ).toEqual([1, 2])
  })
})
