import { describe, expect, it } from 'vitest'
import type { Pod, PodDisruptionBudget } from '../../../common/api/generated/types.ts'
import { createClient } from '../../../common/client/create-client.ts'
import { deviceClasses, resourceClaims, resourceSlices } from '../../../common/client/resources.ts'
import { createSharedInformers } from '../../../common/client/shared-informers.ts'
import { createScriptedTransport } from '../../../common/client/testing/scripted-transport.ts'
import { systemClock } from '../../../common/machinery/clock.ts'
import { silentLogger } from '../../../common/machinery/logger.ts'
import { testNode, testPod } from '../../controllers/testing/objects.ts'
import { defaultProfile } from '../configuration/profile.ts'
import { DeviceClaims } from '../devices/device-claims.ts'
import { selectNode } from '../framework/select-node.ts'
import type { PluginSources } from '../plugins/index.ts'
import { newPlugins } from '../plugins/index.ts'
import { ClusterState } from '../state/cluster-state.ts'
import type { PodFacts } from '../state/pod-facts.ts'
import { podFacts } from '../state/pod-facts.ts'
import type { VolumeSources } from '../volumes/claims.ts'
import { planPreemption } from './plan.ts'

const noVolumes: VolumeSources = {
  claim: () => undefined,
  volume: () => undefined,
  volumes: () => [],
  storageClass: () => undefined,
  csiNode: () => undefined,
  csiDriver: () => undefined,
  storageCapacities: () => [],
}
// Never started: nothing is known.
const informers = createSharedInformers({
  client: createClient(createScriptedTransport()),
  logger: silentLogger,
  clock: systemClock,
})
const sources: PluginSources = {
  imageArchitectures: () => undefined,
  defaultSelector: () => undefined,
  volumes: noVolumes,
  isVolumeTaken: () => false,
  devices: {
    claims: new DeviceClaims({
      claims: informers.of(resourceClaims),
      slices: informers.of(resourceSlices),
      classes: informers.of(deviceClasses),
    }),
    selector: () => false,
  },
}
const plugins = newPlugins(sources, defaultProfile)

interface PodChange {
  priority?: number
  cpu?: string
  started?: string
  labels?: Record<string, string>
  ending?: boolean
  spec?: Partial<NonNullable<Pod['spec']>>
}
function podOf(name: string, change: PodChange = {}): PodFacts {
  const { priority = 0, cpu = '1', started = '2026-01-01T00:00:00Z', labels = {} } = change
  const containers = [{ name: 'main', image: 'hello', resources: { requests: { cpu } } }]
  const pod = testPod(name, { priority, containers, ...change.spec }, labels)
  const disruption = { type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }
  return podFacts({
    ...pod,
    metadata: {
      ...pod.metadata,
      uid: name,
      ...(change.ending === true ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    status: { startTime: started, ...(change.ending === true ? { conditions: [disruption] } : {}) },
  })
}

/** Nodes of two cpus with their pods. */
function clusterOf(nodes: Record<string, PodFacts[]>): ClusterState {
  const cluster = new ClusterState()
  for (const [name, placed] of Object.entries(nodes)) {
    cluster.setNode(testNode(name, { cpu: '2' }))
    for (const facts of placed) cluster.setPod(facts, name)
  }
  return cluster
}

function preempt(cluster: ClusterState, pod: PodFacts, budgets: PodDisruptionBudget[] = []) {
  const random = (): number => 0
  const selection = selectNode({ pod, cluster, plugins, random })
  expect(selection.chosen).toBeUndefined()
  const plan = planPreemption({ pod, selection, cluster, plugins, preempts: true, budgets, random })
  return plan.type === 'none'
    ? plan.told.join()
    : [plan.candidate.node.name, ...plan.candidate.victims.map(({ uid }) => uid)]
}

const budget = (labels: Record<string, string>, disruptionsAllowed: number): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'budget', namespace: 'default' },
  spec: { selector: { matchLabels: labels } },
  status: { disruptionsAllowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
})
const urgent = podOf('urgent', { priority: 100 })

describe('preemption', () => {
  it('takes no more than it needs, and the least important', () => {
    const cluster = clusterOf({ a: [podOf('low', { priority: 1 }), podOf('lower')] })
    expect(preempt(cluster, urgent)).toEqual(['a', 'lower'])
    expect(cluster.node('a')?.pods.size).toBe(2)
  })

  it('spares the one that runs longer', () => {
    const cluster = clusterOf({ a: [podOf('old'), podOf('young', { started: '2026-01-01T00:10:00Z' })] })
    expect(preempt(cluster, urgent)).toEqual(['a', 'young'])
  })

  it('prefers the node with the least important victims, then the fewest, then the youngest', () => {
    const important = [podOf('x1', { priority: 50 }), podOf('x2', { priority: 50 })]
    const many = [podOf('m1', { cpu: '500m' }), podOf('m2', { cpu: '500m' }), podOf('m3', { cpu: '1', priority: 200 })]
    const one = [podOf('o1', { cpu: '2' })]
    expect(preempt(clusterOf({ a: important, b: many, c: one }), urgent)).toEqual(['c', 'o1'])
    const young = [podOf('y1', { cpu: '2', started: '2026-01-01T00:10:00Z' })]
    expect(preempt(clusterOf({ c: one, d: young }), urgent)).toEqual(['d', 'y1'])
  })

  it('breaks a disruption budget only when there is no other way', () => {
    const kept = podOf('kept', { cpu: '2', labels: { app: 'db' } })
    const free = podOf('free', { cpu: '2', priority: 10 })
    expect(preempt(clusterOf({ a: [kept], b: [free] }), urgent, [budget({ app: 'db' }, 0)])).toEqual(['b', 'free'])
    expect(preempt(clusterOf({ a: [kept], b: [free] }), urgent, [budget({ app: 'db' }, 1)])).toEqual(['a', 'kept'])
    expect(preempt(clusterOf({ a: [kept] }), urgent, [budget({ app: 'db' }, 0)])).toEqual(['a', 'kept'])
  })

  it('also makes room for what is not resources', () => {
    const term = { labelSelector: { matchLabels: { app: 'db' } }, topologyKey: 'kubernetes.io/hostname' }
    const apart = { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } }
    const rival = podOf('rival', { cpu: '1', labels: { app: 'db' } })
    const shy = podOf('shy', { priority: 100, labels: { app: 'db' }, spec: apart })
    expect(preempt(clusterOf({ a: [rival] }), shy)).toEqual(['a', 'rival'])
  })

  it.each<[string, Record<string, PodFacts[]>, PodFacts, string]>([
    [
      'nobody is less important',
      { a: [podOf('equal', { priority: 100, cpu: '2' })] },
      urgent,
      '0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    ],
    [
      'the node is too small',
      { a: [podOf('low')] },
      podOf('huge', { priority: 100, cpu: '3' }),
      '0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    ],
    [
      'those that may go are not enough',
      { a: [podOf('low', { cpu: '500m' }), podOf('high', { priority: 200, cpu: '1500m' })] },
      urgent,
      '0/1 nodes are available: 1 Insufficient cpu.',
    ],
    [
      'the pod does not want it',
      { a: [podOf('low', { cpu: '2' })] },
      podOf('polite', { priority: 100, spec: { preemptionPolicy: 'Never' } }),
      'not eligible due to preemptionPolicy=Never.',
    ],
  ])('says why not: %s', (_, nodes, pod, message) => {
    expect(preempt(clusterOf(nodes), pod)).toBe(`preemption: ${message}`)
  })

  it('waits while room is being made', () => {
    const cluster = clusterOf({ a: [podOf('going', { cpu: '2', ending: true })], b: [podOf('low', { cpu: '2' })] })
    cluster.nominations.set(urgent, 'a')
    expect(preempt(cluster, urgent)).toBe('preemption: not eligible due to a terminating pod on the nominated node.')
  })

  it('keeps the room from pods that are not more important', () => {
    const cluster = clusterOf({ a: [podOf('half')] })
    cluster.nominations.set(urgent, 'a')
    const random = (): number => 0
    const chosen = (pod: PodFacts) => selectNode({ pod, cluster, plugins, random }).chosen?.name
    expect(chosen(podOf('sneaky', { priority: 10 }))).toBeUndefined()
    expect(chosen(podOf('greater', { priority: 200 }))).toBe('a')
    expect(chosen(urgent)).toBe('a')
  })
})
