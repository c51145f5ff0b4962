import { describe, expect, it } from 'vitest'
import type { Deployment, Pod, ReplicaSet } from '../../common/api/generated/types.ts'
import { followSteps, type FollowInput } from './follow-deployment.ts'

const at = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`
const deployment: Deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', uid: 'd', creationTimestamp: at(0) },
  spec: { replicas: 1, selector: {}, template: {} },
}
const set: ReplicaSet = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'web-1', uid: 's', creationTimestamp: at(1) },
  spec: { selector: {} },
}
const pod = (change: { node?: string; running?: number; ready?: number; waiting?: string }): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web-1-a',
    uid: 'p',
    creationTimestamp: at(2),
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: 's', controller: true }],
  },
  spec: { nodeName: change.node ?? '', containers: [{ name: 'main' }] },
  status: {
    phase: 'Pending',
    conditions: [
      ...(change.node === undefined ? [] : [{ type: 'PodScheduled', status: 'True', lastTransitionTime: at(3) }]),
      ...(change.ready === undefined ? [] : [{ type: 'Ready', status: 'True', lastTransitionTime: at(change.ready) }]),
    ],
    containerStatuses:
      change.running === undefined && change.waiting === undefined
        ? []
        : [
            {
              name: 'main',
              image: 'x',
              imageID: '',
              ready: change.ready !== undefined,
              restartCount: 0,
              state:
                change.waiting === undefined
                  ? { running: { startedAt: at(change.running ?? 0) } }
                  : { waiting: { reason: change.waiting } },
            },
          ],
  },
})
const states = (input: Partial<FollowInput>): Record<string, string> =>
  Object.fromEntries(
    followSteps({
      deployment,
      replicaSets: [],
      pods: [],
      events: [],
      decisions: [],
      endpointSlices: [],
      wantsService: false,
      ...input,
    }).map((step) => [step.id, step.state]),
  )

describe('followSteps', () => {
  it('waits for the deployment first', () => {
    expect(states({ deployment: undefined })).toMatchObject({ deployment: 'active', replicaset: 'waiting' })
  })
  it('works on the first step that is not done', () => {
    expect(states({ replicaSets: [set] })).toMatchObject({ replicaset: 'done', pods: 'active', scheduled: 'waiting' })
    expect(states({ replicaSets: [set], pods: [pod({ node: 'n' })] })).toMatchObject({
      scheduled: 'done',
      image: 'active',
    })
  })
  it('is done with times when the pod is ready', () => {
    const steps = followSteps({
      deployment,
      replicaSets: [set],
      pods: [pod({ node: 'n', running: 5, ready: 6 })],
      events: [],
      decisions: [],
      endpointSlices: [],
      wantsService: false,
    })
    expect(steps.every((step) => step.state === 'done')).toBe(true)
    expect(steps.at(-1)?.at).toBe(Date.parse(at(6)))
  })
  it('is stuck at the image when it cannot be fetched', () => {
    expect(states({ replicaSets: [set], pods: [pod({ node: 'n', waiting: 'ImagePullBackOff' })] })).toMatchObject({
      image: 'stuck',
      started: 'waiting',
    })
  })
  it('waits for endpoints when a Service was asked for', () => {
    expect(
      states({ replicaSets: [set], pods: [pod({ node: 'n', running: 5, ready: 6 })], wantsService: true }),
    ).toMatchObject({ ready: 'done', service: 'active' })
  })
})
