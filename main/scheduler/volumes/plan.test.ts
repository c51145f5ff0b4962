import { describe, expect, it } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../../common/api/generated/types.ts'
import { testNode, testPod } from '../../controllers/testing/objects.ts'
import type { VolumeSources } from './claims.ts'
import { claimsOfPod, statesOf } from './claims.ts'
import { planVolumes } from './plan.ts'

const claimOf = (
  name: string,
  change: { storageClass?: string; size?: string; bound?: string; phase?: string; selected?: string } = {},
): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {
    name,
    namespace: 'default',
    uid: name,
    annotations: {
      ...(change.bound === undefined ? {} : { 'pv.kubernetes.io/bind-completed': 'yes' }),
      ...(change.selected === undefined ? {} : { 'volume.kubernetes.io/selected-node': change.selected }),
    },
  },
  spec: {
    accessModes: ['ReadWriteOnce'],
    storageClassName: change.storageClass ?? 'late',
    resources: { requests: { storage: change.size ?? '1Gi' } },
    ...(change.bound === undefined ? {} : { volumeName: change.bound }),
  },
  status: { phase: change.phase ?? 'Pending' },
})
const volumeOf = (
  name: string,
  change: { size?: string; node?: string; claim?: string; phase?: string; storageClass?: string } = {},
): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
  spec: {
    capacity: { storage: change.size ?? '1Gi' },
    accessModes: ['ReadWriteOnce'],
    storageClassName: change.storageClass ?? 'late',
    ...(change.claim === undefined ? {} : { claimRef: { namespace: 'default', name: change.claim } }),
    ...(change.node === undefined
      ? {}
      : {
          nodeAffinity: {
            required: {
              nodeSelectorTerms: [
                { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [change.node] }] },
              ],
            },
          },
        }),
  },
  status: { phase: change.phase ?? 'Available' },
})
const classOf = (name: string, volumeBindingMode: string, provisioner: string, zone?: string): StorageClass => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name },
  provisioner,
  volumeBindingMode,
  ...(zone === undefined ? {} : { allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: [zone] }] }] }),
})
const classes = [
  classOf('now', 'Immediate', 'example.org/disk'),
  classOf('late', 'WaitForFirstConsumer', 'kubernetes.io/no-provisioner'),
  classOf('made', 'WaitForFirstConsumer', 'example.org/disk', 'east'),
  classOf('counted', 'WaitForFirstConsumer', 'example.org/counting'),
]

function sourcesOf(claims: PersistentVolumeClaim[], volumes: PersistentVolume[]): VolumeSources {
  return {
    claim: (key) => claims.find(({ metadata }) => `default/${metadata.name ?? ''}` === key),
    volume: (name) => volumes.find(({ metadata }) => metadata.name === name),
    volumes: () => volumes,
    storageClass: (name) => classes.find(({ metadata }) => metadata.name === name),
    csiNode: () => undefined,
    csiDriver: (name) =>
      name === 'example.org/counting'
        ? { apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', metadata: { name }, spec: { storageCapacity: true } }
        : undefined,
    storageCapacities: () => [
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'CSIStorageCapacity',
        metadata: { name: 'east', namespace: 'default' },
        storageClassName: 'counted',
        capacity: '10Gi',
        nodeTopology: { matchLabels: { zone: 'east' } },
      },
    ],
  }
}
const podOf = (claims: PersistentVolumeClaim[]) =>
  testPod('web', {
    volumes: claims.map(({ metadata }) => ({
      name: metadata.name ?? '',
      persistentVolumeClaim: { claimName: metadata.name ?? '' },
    })),
  })

function plan(
  claims: PersistentVolumeClaim[],
  volumes: PersistentVolume[],
  node = testNode('a', { labels: { zone: 'east' } }),
) {
  const sources = sourcesOf(claims, volumes)
  const pod = podOf(claims)
  const states = statesOf(pod, claimsOfPod(pod), sources)
  if (typeof states === 'string') return states
  const found = planVolumes({ node, states, sources, isTaken: ({ metadata }) => metadata.name === 'taken' })
  return Array.isArray(found)
    ? found
    : {
        bind: found.bind.map(({ volume, claim }) => `${claim.metadata.name ?? ''}=${volume.metadata.name ?? ''}`),
        provision: found.provision.map(({ metadata }) => metadata.name),
      }
}

describe('volumes of a pod on a node', () => {
  it.each<[string, PersistentVolumeClaim[], PersistentVolume[], unknown]>([
    [
      'bound and reachable',
      [claimOf('c', { bound: 'v' })],
      [volumeOf('v', { node: 'a' })],
      { bind: [], provision: [] },
    ],
    [
      'bound elsewhere',
      [claimOf('c', { bound: 'v' })],
      [volumeOf('v', { node: 'b' })],
      ["node(s) didn't match PersistentVolume's node affinity"],
    ],
    [
      'bound to nothing',
      [claimOf('c', { bound: 'v' })],
      [],
      ['node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'],
    ],
    [
      'the smallest that is large enough',
      [claimOf('c', { size: '2Gi' })],
      [volumeOf('v1'), volumeOf('v5', { size: '5Gi' }), volumeOf('v3', { size: '3Gi' })],
      { bind: ['c=v3'], provision: [] },
    ],
    [
      'one that was set aside',
      [claimOf('c')],
      [volumeOf('v1'), volumeOf('v5', { size: '5Gi', claim: 'c', phase: 'Available' })],
      { bind: ['c=v5'], provision: [] },
    ],
    [
      'none set aside for others, taken, or not available',
      [claimOf('c')],
      [volumeOf('v', { claim: 'd' }), volumeOf('taken'), volumeOf('old', { phase: 'Released' })],
      ["node(s) didn't find available persistent volumes to bind"],
    ],
    [
      'each claim its own',
      [claimOf('c', { size: '2Gi' }), claimOf('d')],
      [volumeOf('v2', { size: '2Gi' }), volumeOf('v1')],
      { bind: ['d=v1', 'c=v2'], provision: [] },
    ],
    ['a new one', [claimOf('c', { storageClass: 'made' })], [], { bind: [], provision: ['c'] }],
    [
      'a new one that was begun elsewhere',
      [claimOf('c', { storageClass: 'made', selected: 'b' })],
      [],
      ["node(s) didn't find available persistent volumes to bind"],
    ],
    [
      'still to be bound',
      [claimOf('c', { storageClass: 'now' })],
      [],
      'pod has unbound immediate PersistentVolumeClaims',
    ],
    [
      'lost',
      [claimOf('c', { phase: 'Lost', bound: 'v' })],
      [],
      'persistentvolumeclaim "c" bound to non-existent persistentvolume "v"',
    ],
  ])('%s', (_, claims, volumes, expected) => {
    expect(plan(claims, volumes)).toEqual(expected)
  })

  it('makes new ones only where the class allows it', () => {
    const node = testNode('b', { labels: { zone: 'west' } })
    expect(plan([claimOf('c', { storageClass: 'made' })], [], node)).toEqual([
      "node(s) didn't find available persistent volumes to bind",
    ])
  })

  it('makes new ones only where the driver has so much left, when it tells', () => {
    const small = claimOf('c', { storageClass: 'counted', size: '5Gi' })
    expect(plan([small], [])).toEqual({ bind: [], provision: ['c'] })
    const notEnough = ['node(s) did not have enough free storage']
    expect(plan([claimOf('c', { storageClass: 'counted', size: '20Gi' })], [])).toEqual(notEnough)
    expect(plan([small], [], testNode('b', { labels: { zone: 'west' } }))).toEqual(notEnough)
  })

  it('misses claims that do not exist', () => {
    const pod = podOf([claimOf('c')])
    expect(statesOf(pod, claimsOfPod(pod), sourcesOf([], []))).toBe('persistentvolumeclaim "c" not found')
    const scratch = testPod('web', { volumes: [{ name: 'scratch', ephemeral: {} }] })
    expect(statesOf(scratch, claimsOfPod(scratch), sourcesOf([], []))).toBe(
      'waiting for ephemeral volume controller to create the persistentvolumeclaim "web-scratch"',
    )
  })
})
