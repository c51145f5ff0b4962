import { expect, it } from 'vitest'
import type { ContainerPort, Pod } from '../../common/api/generated/types.ts'
import { HostPorts } from './host-ports.ts'

const pod = (uid: string, port: Partial<ContainerPort>, nodeName = 'n'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: uid, uid },
  spec: { nodeName, containers: [{ name: 'c', ports: [{ containerPort: 80, ...port }] }] },
})
const first = pod('first', { hostPort: 8080, hostIP: '10.0.0.1' })

it.each([
  [pod('b', { hostPort: 8080 }), false],
  [pod('b', { hostPort: 8080, hostIP: '0.0.0.0' }), false],
  [pod('b', { hostPort: 8080, hostIP: '10.0.0.1' }), false],
  [pod('b', { hostPort: 8080, hostIP: '10.0.0.2' }), true],
  [pod('b', { hostPort: 8080, hostIP: '10.0.0.1', protocol: 'UDP' }), true],
  [pod('b', { hostPort: 8081, hostIP: '10.0.0.1' }), true],
  [pod('b', { hostPort: 8080 }, 'other'), true],
  [pod('b', {}), true],
])('%# knows a taken port', (second, free) => {
  const ports = new HostPorts()
  expect(ports.claim(first)).toBe(true)
  expect(ports.claim(first)).toBe(true)
  expect(ports.claim(second)).toBe(free)
  ports.release(first)
  expect(ports.claim(second)).toBe(true)
})
