import { expect, it } from 'vitest'
import type {
  ResourceV1DeviceTaint,
  ResourceV1DeviceToleration,
  ResourceV1ResourceClaim,
} from '../../../common/api/generated/types.ts'
import { testPod } from '../testing/objects.ts'
import { endingTaints, evictAt } from './plan.ts'

const now = Date.parse('2026-01-01T01:00:00Z')
const pod = { ...testPod('web'), metadata: { name: 'web', namespace: 'default', uid: 'web' } }
const claimOf = (tolerations: ResourceV1DeviceToleration[], user = 'web'): ResourceV1ResourceClaim => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceClaim',
  metadata: { name: 'c', namespace: 'default' },
  spec: {},
  status: {
    allocation: { devices: { results: [{ request: 'r', driver: 'd.x', pool: 'p', device: 'one', tolerations }] } },
    reservedFor: [{ resource: 'pods', name: user, uid: user }],
  },
})
const taint = (effect: string): ResourceV1DeviceTaint => ({ key: 'broken', effect, timeAdded: '2026-01-01T01:00:00Z' })
const exists = (change: Partial<ResourceV1DeviceToleration> = {}): ResourceV1DeviceToleration => ({
  key: 'broken',
  operator: 'Exists',
  ...change,
})

it.each<[string, string, ResourceV1ResourceClaim, number | undefined]>([
  ['at once', 'NoExecute', claimOf([]), now],
  ['not for a taint that only keeps others away', 'NoSchedule', claimOf([]), undefined],
  ['not when it is tolerated', 'NoExecute', claimOf([exists()]), undefined],
  ['when its time is up', 'NoExecute', claimOf([exists({ tolerationSeconds: 30 })]), now + 30_000],
  ['not for a claim that another pod has', 'NoExecute', claimOf([], 'other'), undefined],
])('a pod goes %s', (_, effect, claim, expected) => {
  const taints = endingTaints([
    {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceSlice',
      metadata: { name: 's' },
      spec: {
        driver: 'd.x',
        allNodes: true,
        pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
        devices: [{ name: 'one', taints: [taint(effect)] }],
      },
    },
  ])
  expect(evictAt(pod, [claim], taints, now)).toBe(expected)
})
