import { describe, expect, it } from 'vitest'
import type { Pod, ReplicaSet } from '../../../common/api/generated/types.ts'
import { planReplicas, planStatus, rankForDeletion } from './plan.ts'

const now = Date.parse('2026-01-01T01:00:00Z')
const replicaSet = (replicas: number): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'web', generation: 2 },
  spec: { replicas, selector: {} },
})

interface PodChange {
  node?: string
  phase?: string
  ready?: boolean
  readyAt?: string
  cost?: number
  restarts?: number
  created?: string
}
const pod = (
  name: string,
  {
    node = 'n',
    phase = 'Running',
    ready = true,
    readyAt = '2026-01-01T00:30:00Z',
    cost,
    restarts = 0,
    created = '2026-01-01T00:00:00Z',
  }: PodChange = {},
): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    uid: name,
    creationTimestamp: created,
    annotations: cost === undefined ? {} : { 'controller.kubernetes.io/pod-deletion-cost': String(cost) },
  },
  spec: { nodeName: node, containers: [] },
  status: {
    phase,
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: readyAt }],
    containerStatuses: [{ name: 'c', image: '', imageID: '', ready, restartCount: restarts }],
  },
})
const names = (pods: readonly Pod[]): (string | undefined)[] => pods.map(({ metadata }) => metadata.name)

describe('which pod goes first', () => {
  it.each<[string, PodChange, PodChange]>([
    ['one without a node', { node: '' }, {}],
    ['a pending one', { phase: 'Pending' }, {}],
    ['one that is not ready', { ready: false }, {}],
    ['the cheaper one', { cost: -5 }, { cost: 3 }],
    ['one that became ready lately', { readyAt: '2026-01-01T00:59:50Z' }, {}],
    ['one that restarted more', { restarts: 4 }, {}],
    ['the younger one', { created: '2026-01-01T00:59:00Z' }, {}],
  ])('%s', (_, first, second) => {
    const [a, b] = [pod('z-first', first), pod('a-second', second)]
    expect(names(rankForDeletion([b, a], [a, b], now))).toEqual(['z-first', 'a-second'])
  })
  it('one that shares its node with more of its kind', () => {
    const pods = [pod('alone', { node: 'x' }), pod('crowd-1', { node: 'y' }), pod('crowd-2', { node: 'y' })]
    expect(names(rankForDeletion(pods, pods, now)).at(-1)).toBe('alone')
  })
})

describe('how many', () => {
  it.each([
    [3, 1, { create: 2, delete: 0 }],
    [1, 3, { create: 0, delete: 2 }],
    [2, 2, { create: 0, delete: 0 }],
    [2_000, 0, { create: 500, delete: 0 }],
  ])('wanted %i, there are %i', (wanted, present, expected) => {
    const pods = Array.from({ length: present }, (_, i) => pod(`p${String(i)}`))
    const plan = planReplicas(replicaSet(wanted), pods, pods, now)
    expect({ create: plan.create, delete: plan.delete.length }).toEqual(expected)
  })
  it('says in its status why pods cannot be made', () => {
    const status = planStatus(replicaSet(2), [pod('a')], new Error('exceeded quota'), -1, now)
    expect(status).toMatchObject({ replicas: 1, readyReplicas: 1, availableReplicas: 1, observedGeneration: 2 })
    expect(status.conditions?.[0]).toMatchObject({
      type: 'ReplicaFailure',
      reason: 'FailedCreate',
      message: 'exceeded quota',
    })
  })
})
