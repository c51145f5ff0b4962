import { expect, it } from 'vitest'
import { testNode, testPod } from '../../controllers/testing/objects.ts'
import type { FitStrategy } from '../configuration/profile.ts'
import { cpuAndMemory } from '../configuration/profile.ts'
import { ClusterState } from '../state/cluster-state.ts'
import { podFacts } from '../state/pod-facts.ts'
import { newBalancedScore, newFitScore } from './resource-scores.ts'

const gpu = 'example.com/gpu'
const podOf = (requests: Record<string, string>) =>
  podFacts(testPod('web', { containers: [{ name: 'main', image: 'hello', resources: { requests } }] }))
const node = testNode('node-1', { cpu: '4', memory: '8Gi' })
Object.assign(node.status?.allocatable ?? {}, { [gpu]: '4' })
const cluster = new ClusterState()
cluster.setNode(node)
const state = cluster.node('node-1')

const score = (strategy: Partial<FitStrategy>, requests: Record<string, string>): number | undefined =>
  state &&
  newFitScore({ type: 'LeastAllocated', resources: cpuAndMemory, shape: [], ...strategy })
    .prepare(podOf(requests), cluster, [state])
    ?.score(state)

const half = { cpu: '2', memory: '2Gi' }
it.each<[string, Partial<FitStrategy>, Record<string, string>, number]>([
  ['what stays free', {}, half, 62],
  ['what is used', { type: 'MostAllocated' }, half, 37],
  ['what is used of a device too', { type: 'MostAllocated', resources: [...cpuAndMemory, { name: gpu, weight: 2 }] }, { ...half, [gpu]: '4' }, 68],
  ['a device that is not asked for', { type: 'MostAllocated', resources: [{ name: gpu, weight: 2 }] }, half, 0],
  ['a shape', { type: 'RequestedToCapacityRatio', resources: [{ name: 'cpu', weight: 1 }], shape: [{ utilization: 0, score: 0 }, { utilization: 100, score: 10 }] }, half, 50],
])('scores by %s', (_, strategy, requests, expected) => {
  expect(score(strategy, requests)).toBe(expected)
}) // prettier-ignore

it('scores by balance, but for pods that ask for nothing', () => {
  const balanced = newBalancedScore(cpuAndMemory)
  expect(balanced.prepare(podOf({}), cluster, [])).toBeUndefined()
  expect(state && balanced.prepare(podOf(half), cluster, [state])?.score(state)).toBe(87)
})
