import { expect, it } from 'vitest'
import type { Pod } from '../../../common/api/generated/types.ts'
import { testPod } from '../../controllers/testing/objects.ts'
import { podResources } from './pod-resources.ts'

function resizing(had: Record<string, string>, reason?: string): Pod {
  const requests = { cpu: '1', memory: '1Gi' }
  const status = { name: 'main', image: 'x', imageID: 'x', ready: true, restartCount: 0 }
  return {
    ...testPod('web', { containers: [{ name: 'main', image: 'x', resources: { requests } }] }),
    status: {
      containerStatuses: [{ ...status, resources: { requests: had }, allocatedResources: had }],
      ...(reason === undefined ? {} : { conditions: [{ type: 'PodResizePending', status: 'True', reason }] }),
    },
  }
}

it.each<[string, Pod, number]>([
  ['what it asks for, while it grows', resizing({ cpu: '500m', memory: '1Gi' }), 1000],
  ['what it has, while it shrinks', resizing({ cpu: '2', memory: '1Gi' }, 'Deferred'), 2000],
  ['what it has, when it cannot grow', resizing({ cpu: '500m', memory: '1Gi' }, 'Infeasible'), 500],
])('a pod that is resized counts with %s', (_, pod, cpuMillis) => {
  expect(podResources(pod).requests.cpuMillis).toBe(cpuMillis)
  expect(podResources(pod).scoring.cpuMillis).toBe(cpuMillis)
})
