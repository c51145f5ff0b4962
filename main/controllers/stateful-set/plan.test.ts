import { describe, expect, it } from 'vitest'
import type { Pod, StatefulSet, StatefulSetSpec } from '../../../common/api/generated/types.ts'
import { planClaimOwners } from './claim-owners.ts'
import { claimsOf, ordinalOf, podForOrdinal } from './identity.ts'
import { planStatefulSet } from './plan.ts'
import { planStatus } from './status.ts'

const now = Date.parse('2026-01-01T01:00:00Z')
const setOf = (spec: Partial<StatefulSetSpec> = {}): StatefulSet => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'db', namespace: 'default', uid: 'set', generation: 3 },
  spec: { replicas: 3, serviceName: 'db', selector: { matchLabels: { app: 'db' } }, template: {}, ...spec },
})

/** "0", "1:new", "2:pending", "3:new:ending": ordinal, then revision and state as far as not old and ready. */
function podOf(text: string): Pod {
  const [ordinal = '', ...states] = text.split(':')
  const is = (state: string): boolean => states.includes(state)
  const ready = !is('pending') && !is('failed') && !is('unready')
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `db-${ordinal}`,
      uid: `uid-${ordinal}`,
      labels: { 'controller-revision-hash': is('new') ? 'db-new' : 'db-old' },
      ...(is('ending') ? { deletionTimestamp: '2026-01-01T00:59:00Z' } : {}),
    },
    spec: { containers: [] },
    status: {
      phase: is('pending') ? 'Pending' : is('failed') ? 'Failed' : 'Running',
      conditions: [
        {
          type: 'Ready',
          status: ready ? 'True' : 'False',
          lastTransitionTime: is('young') ? '2026-01-01T00:59:55Z' : '2026-01-01T00:00:00Z',
        },
      ],
    },
  }
}

const plan = (spec: Partial<StatefulSetSpec>, pods: string[], updateRevision = 'db-old', stale = -1) => {
  const { create, delete: doomed } = planStatefulSet({
    set: setOf(spec),
    pods: pods.map(podOf),
    currentRevision: 'db-old',
    updateRevision,
    hasStaleClaim: (ordinal) => ordinal === stale,
    nowMs: now,
  })
  return {
    create: create.map(({ ordinal, revision }) => `${String(ordinal)}:${revision}`),
    delete: doomed.map(({ metadata }) => metadata.name),
  }
}
const parallel = { podManagementPolicy: 'Parallel' }
const rolling = (partition: number, maxUnavailable?: number | string) => ({
  updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition, maxUnavailable } },
})

describe('pods of a stateful set', () => {
  it.each<[string, Partial<StatefulSetSpec>, string[], string[], string[]]>([
    ['starts with the first', {}, [], ['0:update'], []],
    ['waits for one that is not ready', {}, ['0:pending'], [], []],
    ['goes on when it is', {}, ['0'], ['1:update'], []],
    ['waits for minReadySeconds', { minReadySeconds: 10 }, ['0:young'], [], []],
    ['goes on after them', { minReadySeconds: 5 }, ['0:young'], ['1:update'], []],
    ['fills a gap first', {}, ['0', '2'], ['1:update'], []],
    ['replaces a failed one', {}, ['0:failed', '1'], [], ['db-0']],
    ['waits for a failed one to go', {}, ['0:failed:ending', '1'], [], []],
    ['scales down from the end, one by one', { replicas: 1 }, ['0', '1', '2'], [], ['db-2']],
    ['does not scale down while another is ending', { replicas: 1 }, ['0', '1', '2:ending'], [], []],
    ['does not scale down while a wanted one is broken', { replicas: 1 }, ['0:unready', '1', '2'], [], []],
    ['counts from its start', { ordinals: { start: 5 }, replicas: 2 }, ['0', '5'], ['6:update'], []],
    ['makes all at once in parallel', parallel, ['1:pending'], ['0:update', '2:update'], []],
    ['removes all at once in parallel', { ...parallel, replicas: 1 }, ['0', '1', '2'], [], ['db-2', 'db-1']],
    ['ignores pods with other names', {}, ['0', '1', '2', 'x'], [], []],
  ])('%s', (_, spec, pods, create, doomed) => {
    expect(plan(spec, pods)).toEqual({ create, delete: doomed })
  })

  it.each<[string, Partial<StatefulSetSpec>, string[], string[], string[]]>([
    ['replaces the last first', {}, ['0', '1', '2'], [], ['db-2']],
    ['then the one before', {}, ['0', '1', '2:new'], [], ['db-1']],
    ['waits for the new one', {}, ['0', '1', '2:new:pending'], [], []],
    ['stops at the partition', rolling(2), ['0', '1', '2:new'], [], []],
    ['makes a pod below the partition as it was', rolling(2), ['0', '2:new'], ['1:current'], []],
    ['and one above it anew', rolling(2), ['0', '1'], ['2:update'], []],
    ['replaces several when several may be away', rolling(0, 2), ['0', '1', '2'], [], ['db-2', 'db-1']],
    ['rounds percentages down, but not to nothing', rolling(0, '34%'), ['0', '1', '2'], [], ['db-2']],
    ['leaves the choice to people', { updateStrategy: { type: 'OnDelete' } }, ['0', '1', '2'], [], []],
    ['replaces a broken one of the old revision in parallel', parallel, ['0', '1', '2:unready'], [], ['db-2']],
    ['waits for its own in parallel', parallel, ['0', '1', '2:new:unready'], [], []],
  ])('update: %s', (_, spec, pods, create, doomed) => {
    expect(plan(spec, pods, 'db-new')).toEqual({ create, delete: doomed })
  })

  it('waits for the claim of the pod that was there before', () => {
    expect(plan({}, ['0'], 'db-old', 1)).toEqual({ create: [], delete: [] })
  })

  it('does nothing while it is deleted', () => {
    const set = setOf()
    set.metadata.deletionTimestamp = '2026-01-01T00:00:00Z'
    const nothing = planStatefulSet({
      set,
      pods: [],
      currentRevision: 'a',
      updateRevision: 'a',
      hasStaleClaim: () => false,
      nowMs: now,
    })
    expect(nothing.create).toEqual([])
  })
})

describe('status of a stateful set', () => {
  const status = (spec: Partial<StatefulSetSpec>, pods: string[], updating = 0) =>
    planStatus({
      set: setOf(spec),
      pods: pods.map(podOf),
      currentRevision: 'db-old',
      updateRevision: 'db-new',
      collisionCount: 0,
      updating,
      nowMs: now,
    })

  it('counts by revision and readiness', () => {
    expect(status({ minReadySeconds: 10 }, ['0', '1:young', '2:new:pending'])).toEqual({
      observedGeneration: 3,
      replicas: 3,
      readyReplicas: 2,
      availableReplicas: 1,
      currentReplicas: 2,
      updatedReplicas: 1,
      currentRevision: 'db-old',
      updateRevision: 'db-new',
      collisionCount: 0,
    })
  })

  it('moves to the new revision when all pods are of it and ready', () => {
    const pods = ['0:new', '1:new', '2:new']
    expect(status({}, pods)).toMatchObject({ currentRevision: 'db-new', currentReplicas: 3 })
    expect(status({ updateStrategy: { type: 'OnDelete' } }, pods)).toMatchObject({ currentRevision: 'db-old' })
    expect(status({}, ['0:new', '1:new', '2:new:pending'])).toMatchObject({ currentRevision: 'db-old' })
  })
})

describe('identity', () => {
  const set = setOf({
    volumeClaimTemplates: [{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' } }],
  })

  it('is in the name, the labels, the host name and the claims', () => {
    const template = {
      metadata: { labels: { app: 'db' } },
      spec: {
        containers: [],
        volumes: [
          { name: 'data', emptyDir: {} },
          { name: 'tmp', emptyDir: {} },
        ],
      },
    }
    const pod = podForOrdinal(set, 4, template, 'db-new')
    expect(pod.metadata).toMatchObject({
      name: 'db-4',
      labels: {
        app: 'db',
        'statefulset.kubernetes.io/pod-name': 'db-4',
        'apps.kubernetes.io/pod-index': '4',
        'controller-revision-hash': 'db-new',
      },
    })
    expect(pod.metadata.generateName).toBeUndefined()
    expect(pod.spec).toMatchObject({ hostname: 'db-4', subdomain: 'db' })
    expect(pod.spec?.volumes).toEqual([
      { name: 'data', persistentVolumeClaim: { claimName: 'data-db-4' } },
      { name: 'tmp', emptyDir: {} },
    ])
    expect(ordinalOf(set, pod)).toBe(4)
  })

  const policy = (whenDeleted: string, whenScaled: string): StatefulSet => ({
    ...set,
    spec: {
      ...setOf().spec,
      ...set.spec,
      persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled },
    } as StatefulSetSpec,
  })
  it.each<[string, string, number, string[] | undefined]>([
    ['Retain', 'Retain', 0, undefined],
    ['Delete', 'Retain', 0, ['set']],
    ['Delete', 'Retain', 7, ['set']],
    ['Retain', 'Delete', 0, undefined],
    ['Retain', 'Delete', 7, ['uid-7']],
    ['Delete', 'Delete', 0, ['set']],
    ['Delete', 'Delete', 7, ['uid-7']],
  ])(
    'claims with whenDeleted %s and whenScaled %s of pod %i belong to %j',
    (whenDeleted, whenScaled, ordinal, owners) => {
      const [claim] = claimsOf(set, ordinal)
      if (claim === undefined) throw new Error('no claim')
      const references = planClaimOwners(policy(whenDeleted, whenScaled), ordinal, claim.claim, podOf(String(ordinal)))
      expect(references?.map(({ uid }) => uid)).toEqual(owners)
      const owned = { ...claim.claim, metadata: { ...claim.claim.metadata, ownerReferences: references } }
      expect(planClaimOwners(policy(whenDeleted, whenScaled), ordinal, owned, podOf(String(ordinal)))).toBeUndefined()
    },
  )
})
