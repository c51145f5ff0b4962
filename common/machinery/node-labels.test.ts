import { expect, it } from 'vitest'
import { mayNodeSetLabel } from './node-labels.ts'

it.each([
  ['disk', true],
  ['example.com/role', true],
  ['kubernetes.io/hostname', true],
  ['topology.kubernetes.io/zone', true],
  ['node.kubernetes.io/anything', true],
  ['gpu.node.kubernetes.io/model', true],
  ['kubelet.kubernetes.io/x', true],
  ['node-role.kubernetes.io/control-plane', false],
  ['kubernetes.io/other', false],
  ['k8s.io/x', false],
  ['sigs.k8s.io/x', false],
  ['node-restriction.kubernetes.io/x', false],
  ['team.node-restriction.kubernetes.io/x', false],
])('%s: %s', (key, may) => {
  expect(mayNodeSetLabel(key)).toBe(may)
})
