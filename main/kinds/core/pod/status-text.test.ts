import { describe, expect, it } from 'vitest'
import type { ContainerStatus, Pod, PodStatus } from '../../../../common/api/generated/types.ts'
import { summarizePod } from './status-text.ts'

const now = new Date('2030-01-01T01:00:00Z')

function status(name: string, more: Partial<ContainerStatus> = {}): ContainerStatus {
  return { name, image: '', imageID: '', ready: false, restartCount: 0, ...more }
}
const running: Partial<ContainerStatus> = { ready: true, started: true, state: { running: {} } }
const finished: Partial<ContainerStatus> = { state: { terminated: { exitCode: 0, reason: 'Completed' } } }

const pod = (
  podStatus: PodStatus,
  more: { init?: { name: string; restartPolicy?: string }[]; containers?: number; deleted?: boolean } = {},
): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', ...(more.deleted === true ? { deletionTimestamp: '2030-01-01T00:59:00Z' } : {}) },
  spec: {
    containers: Array.from({ length: more.containers ?? 1 }, (_, index) => ({ name: `c${String(index)}` })),
    ...(more.init === undefined ? {} : { initContainers: more.init }),
  },
  status: podStatus,
})

describe('what kubectl get pods says', () => {
  const cases: [string, Pod, string, string, string][] = [
    ['pending', pod({ phase: 'Pending' }), '0/1', 'Pending', '0'],
    [
      'creating',
      pod({
        phase: 'Pending',
        containerStatuses: [status('c0', { state: { waiting: { reason: 'ContainerCreating' } } })],
      }),
      '0/1',
      'ContainerCreating',
      '0',
    ],
    ['running', pod({ phase: 'Running', containerStatuses: [status('c0', running)] }), '1/1', 'Running', '0'],
    [
      'crashing',
      pod({
        phase: 'Running',
        containerStatuses: [
          status('c0', {
            restartCount: 2,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { exitCode: 1, finishedAt: '2030-01-01T00:55:00Z' } },
          }),
        ],
      }),
      '0/1',
      'CrashLoopBackOff',
      '2 (5m ago)',
    ],
    ['done', pod({ phase: 'Succeeded', containerStatuses: [status('c0', finished)] }), '0/1', 'Completed', '0'],
    [
      'killed by a signal',
      pod({
        phase: 'Failed',
        containerStatuses: [status('c0', { state: { terminated: { exitCode: 137, signal: 9 } } })],
      }),
      '0/1',
      'Signal:9',
      '0',
    ],
    [
      'failed',
      pod({ phase: 'Failed', containerStatuses: [status('c0', { state: { terminated: { exitCode: 3 } } })] }),
      '0/1',
      'ExitCode:3',
      '0',
    ],
    ['evicted', pod({ phase: 'Failed', reason: 'Evicted' }), '0/1', 'Evicted', '0'],
    [
      'gated',
      pod({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] }),
      '0/1',
      'SchedulingGated',
      '0',
    ],
    [
      'half done',
      pod(
        {
          phase: 'Running',
          conditions: [{ type: 'Ready', status: 'True' }],
          containerStatuses: [status('c0', finished), status('c1', running)],
        },
        { containers: 2 },
      ),
      '1/2',
      'Running',
      '0',
    ],
    [
      'half done, not ready',
      pod({ phase: 'Running', containerStatuses: [status('c0', finished), status('c1', running)] }, { containers: 2 }),
      '1/2',
      'NotReady',
      '0',
    ],
    [
      'at its first init container',
      pod(
        { phase: 'Pending', initContainerStatuses: [status('i', { state: { running: {} } }), status('j')] },
        { init: [{ name: 'i' }, { name: 'j' }] },
      ),
      '0/1',
      'Init:0/2',
      '0',
    ],
    [
      'at its second init container',
      pod(
        {
          phase: 'Pending',
          initContainerStatuses: [
            status('i', finished),
            status('j', { state: { waiting: { reason: 'PodInitializing' } } }),
          ],
        },
        { init: [{ name: 'i' }, { name: 'j' }] },
      ),
      '0/1',
      'Init:1/2',
      '0',
    ],
    [
      'failing to initialize',
      pod(
        {
          phase: 'Pending',
          initContainerStatuses: [
            status('i', { restartCount: 1, state: { terminated: { exitCode: 1, reason: 'Error' } } }),
          ],
        },
        { init: [{ name: 'i' }] },
      ),
      '0/1',
      'Init:Error',
      '1',
    ],
    [
      'with a sidecar',
      pod(
        { phase: 'Running', initContainerStatuses: [status('s', running)], containerStatuses: [status('c0', running)] },
        { init: [{ name: 's', restartPolicy: 'Always' }] },
      ),
      '2/2',
      'Running',
      '0',
    ],
    [
      'going',
      pod({ phase: 'Running', containerStatuses: [status('c0', running)] }, { deleted: true }),
      '1/1',
      'Terminating',
      '0',
    ],
    [
      'gone but not deleted',
      pod({ phase: 'Succeeded', containerStatuses: [status('c0', finished)] }, { deleted: true }),
      '0/1',
      'Completed',
      '0',
    ],
    ['on a lost node', pod({ phase: 'Running', reason: 'NodeLost' }, { deleted: true }), '0/1', 'Unknown', '0'],
  ]
  it.each(cases)('%s', (_, object, ready, text, restarts) => {
    expect(summarizePod(object, now)).toEqual({ ready, status: text, restarts })
  })
})
