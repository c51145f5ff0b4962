import { describe, expect, it } from 'vitest'
import type { Deployment, ReplicaSet } from '../../../common/api/generated/types.ts'
import { rollingLimits, scaleValue } from './limits.ts'
import {
  findNewSet,
  isScalingEvent,
  newSetReplicas,
  planCleanup,
  planNewSet,
  planOldSets,
  planScaling,
} from './plan.ts'
import { annotationsOfNewSet, maxRevision, sizeAnnotations } from './revisions.ts'
import { deadlineInMs, planRolloutStatus } from './status.ts'

const deployment = (
  replicas: number,
  change: Partial<NonNullable<Deployment['spec']>> = {},
  status: Deployment['status'] = {},
): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default', generation: 1 },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [] } },
    ...change,
  },
  status,
})
let born = 0
const set = (
  name: string,
  replicas: number,
  available = replicas,
  change: { max?: number; desired?: number; image?: string } = {},
): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: {
    name,
    uid: name,
    generation: 1,
    creationTimestamp: `2026-01-01T00:00:${String(born++ % 60).padStart(2, '0')}Z`,
    annotations: change.desired === undefined ? {} : sizeAnnotations(change.desired, change.max ?? change.desired),
  },
  spec: {
    replicas,
    selector: {},
    template: {
      metadata: { labels: { app: 'web', 'pod-template-hash': name } },
      spec: { containers: change.image === undefined ? [] : [{ name: 'main', image: change.image }] },
    },
  },
  status: { replicas, availableReplicas: available, readyReplicas: available, observedGeneration: 1 },
})

describe('limits of a rolling update', () => {
  it.each([
    ['25%', 10, 'up', 3],
    ['25%', 10, 'down', 2],
    [2, 10, 'up', 2],
    ['0%', 10, 'up', 0],
  ] as const)('%s of %i rounded %s is %i', (value, total, round, expected) => {
    expect(scaleValue(value, total, round)).toBe(expected)
  })
  it('never lets both be zero', () => {
    expect(
      rollingLimits(deployment(3, { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '10%' } } })),
    ).toEqual({ surge: 0, unavailable: 1 })
  })
})

describe('sizes', () => {
  it('finds the set of the present template whatever its hash label', () => {
    const wanted = set('b', 1)
    expect(findNewSet(deployment(3), [set('a', 1, 1, { image: 'old' }), wanted])).toBe(wanted)
  })
  it('gives the new set only the room that the surge leaves', () => {
    expect(newSetReplicas(deployment(10), [set('old', 10)], undefined)).toBe(3)
    expect(newSetReplicas(deployment(10, { strategy: { type: 'Recreate' } }), [], undefined)).toBe(10)
  })
  it('grows the new set while the old one shrinks, and shrinks it when it is too large', () => {
    const fresh = set('new', 3, 0)
    expect(planNewSet(deployment(10), [set('old', 8), fresh], fresh)).toBe(5)
    expect(planNewSet(deployment(2), [set('new', 3)], set('new', 3))).toBe(2)
  })
  it('takes from old sets what is not available first, then what availability allows', () => {
    const fresh = set('new', 3, 3)
    const plan = planOldSets(deployment(10), [set('sick', 4, 1), set('old', 6)], fresh)
    expect(plan.map(({ set: { metadata }, replicas }) => [metadata.name, replicas])).toEqual([
      ['sick', 0],
      ['old', 5],
    ])
  })
  it('takes nothing while the new pods are not available', () => {
    expect(planOldSets(deployment(4), [set('old', 3)], set('new', 2, 0))).toEqual([])
  })
  it('shares a new size in proportion in the middle of a rollout', () => {
    const options = { desired: 10, max: 13 }
    const old = set('old', 8, 8, options)
    const fresh = set('new', 5, 2, options)
    expect(isScalingEvent(deployment(20), [old, fresh])).toBe(true)
    const plan = planScaling(deployment(20), fresh, [old])
    expect(plan.map(({ set: { metadata }, replicas }) => [metadata.name, replicas])).toEqual([
      ['old', 15],
      ['new', 10],
    ])
  })
  it('forgets the oldest revisions beyond the limit, but none with pods', () => {
    const withRevision = (name: string, revision: number, replicas = 0): ReplicaSet => {
      const base = set(name, replicas)
      return {
        ...base,
        metadata: { ...base.metadata, annotations: { 'deployment.kubernetes.io/revision': String(revision) } },
      }
    }
    const plan = planCleanup(deployment(1, { revisionHistoryLimit: 1 }), [
      withRevision('c', 3),
      withRevision('a', 1, 2),
      withRevision('b', 2),
    ])
    expect(plan.map(({ metadata }) => metadata.name)).toEqual(['b'])
  })
})

describe('annotations and conditions', () => {
  it('counts revisions in 64 bits, as sets that are adopted may have brought them', () => {
    const withRevision = (revision: string): ReplicaSet => ({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { annotations: { 'deployment.kubernetes.io/revision': revision } },
    })
    expect(maxRevision(['3546343826724305832', '7', 'x', '99999999999999999999'].map(withRevision))).toBe(
      3546343826724305832n,
    )
  })

  it('remembers the revisions a set has been', () => {
    const old = { metadata: { annotations: { 'deployment.kubernetes.io/revision': '1', own: 'x' } } }
    const owner = {
      ...deployment(1),
      metadata: { annotations: { team: 'a', 'kubectl.kubernetes.io/last-applied-configuration': '{}' } },
    }
    expect(annotationsOfNewSet(owner, old, 4n, true)).toEqual({
      own: 'x',
      team: 'a',
      'deployment.kubernetes.io/revision': '4',
      'deployment.kubernetes.io/revision-history': '1',
    })
  })
  it('says that a rollout missed its deadline', () => {
    const at = Date.parse('2026-01-01T00:20:00Z')
    const condition = {
      type: 'Progressing',
      status: 'True',
      reason: 'ReplicaSetUpdated',
      lastUpdateTime: '2026-01-01T00:00:00Z',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    }
    const stuck = deployment(
      2,
      {},
      { replicas: 2, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, conditions: [condition] },
    )
    const status = planRolloutStatus(stuck, [set('old', 1, 1), set('new', 1, 0)], set('new', 1, 0), at)
    expect(status.conditions?.find(({ type }) => type === 'Progressing')).toMatchObject({
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: 'ReplicaSet "new" has timed out progressing.',
    })
    expect(deadlineInMs(stuck, stuck.status ?? {}, Date.parse('2026-01-01T00:09:00Z'))).toBe(61_000)
  })
})
