// Ports of Services and Pods opened on this machine's loopback by the engine.
import { api } from './index.ts'

export interface Forward {
  id: string
  url: string
  localPort: number
  kind: 'Service' | 'Pod'
  namespace: string
  name: string
  port: number
}

const path = '/apis/lab.orrery.dev/v1alpha1/labs/default/forwards'

export const openForward = (target: Pick<Forward, 'kind' | 'namespace' | 'name' | 'port'>): Promise<Forward> =>
  api.transport.request<Forward>({ method: 'POST', path, body: target })
