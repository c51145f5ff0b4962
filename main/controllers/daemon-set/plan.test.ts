import { describe, expect, it } from 'vitest'
import type { DaemonSet, Pod } from '../../../common/api/generated/types.ts'
import { testNode, testPod } from '../testing/objects.ts'
import { hashLabel, planPods, viewNodes } from './plan.ts'

const surging: DaemonSet = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'agent' },
  spec: {
    selector: {},
    template: {},
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
  },
}
const podOf = (name: string, hash: string, ready: boolean): Pod => {
  const pod = testPod(name, { nodeName: 'node-1' }, { [hashLabel]: hash })
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }]
  return {
    ...pod,
    metadata: { ...pod.metadata, creationTimestamp: `2026-01-01T00:00:0${hash === 'old' ? '0' : '1'}Z` },
    status: { phase: 'Running', conditions },
  }
}

describe('two pods on a node during a surge', () => {
  it.each<[string, boolean, boolean, string[]]>([
    ['both stay while the new one is not available', true, false, []],
    ['the old one goes when the new one is available', true, true, ['before']],
    ['the old one goes at once when it serves nobody', false, false, ['before']],
  ])('%s', (_, oldReady, newReady, expected) => {
    const pods = [podOf('before', 'old', oldReady), podOf('after', 'new', newReady)]
    const views = viewNodes([testNode('node-1')], pods, () => ({ shouldRun: true, shouldContinue: true }))
    const plan = planPods(surging, views, 'new', Date.parse('2026-01-01T01:00:00Z'))
    expect(plan.delete.map(({ metadata }) => metadata.name)).toEqual(expected)
  })
})
