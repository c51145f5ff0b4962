import { describe, expect, it } from 'vitest'
import type { Pod, Service } from '../../../common/api/generated/types.ts'
import { planEndpoints } from './plan.ts'

const service = (): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default', uid: 'svc', labels: { team: 'a' } },
  spec: {
    clusterIP: '10.96.0.9',
    selector: { app: 'web' },
    ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }],
  },
})
const pod = (n: number, change: { ready?: boolean; ending?: boolean } = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: `web-${String(n)}`,
    namespace: 'default',
    uid: `u${String(n)}`,
    ...(change.ending === true ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
  },
  spec: { nodeName: 'node-1', containers: [{ name: 'main' }] },
  status: {
    phase: 'Running',
    podIP: `10.244.0.${String(n)}`,
    conditions: [{ type: 'Ready', status: change.ready === false ? 'False' : 'True' }],
  },
})

describe('endpoints', () => {
  it('separates ready from not ready and leaves ending pods out', () => {
    expect(
      planEndpoints(service(), [pod(1), pod(2, { ready: false }), pod(3, { ending: true })], undefined)?.subsets,
    ).toEqual([
      {
        addresses: [expect.objectContaining({ ip: '10.244.0.1' })],
        notReadyAddresses: [expect.objectContaining({ ip: '10.244.0.2' })],
        ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      },
    ])
  })
  it('is not written again when it is right', () => {
    const first = planEndpoints(service(), [pod(1)], undefined)
    expect(planEndpoints(service(), [pod(1)], first)).toBeUndefined()
  })
})
