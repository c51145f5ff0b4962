import { describe, expect, it } from 'vitest'
import type { ContainerStatus } from '../../common/api/generated/types.ts'
import { explainContainer } from './container-words.ts'
import { reasonWords, unschedulableWords } from './pod-words.ts'

const status = (state: ContainerStatus['state'], more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name: 'main',
  image: 'x',
  imageID: '',
  ready: false,
  restartCount: 0,
  state,
  ...more,
})
const context = {
  image: 'billing:2',
  nodeArch: 'arm64',
  nodeName: 'node-2',
  imageArchitectures: ['amd64'],
  memoryLimit: '64Mi',
}

describe('explainContainer', () => {
  it('turns exec format error into the two architectures', () => {
    const loop = status(
      { waiting: { reason: 'CrashLoopBackOff' } },
      {
        restartCount: 4,
        lastState: {
          terminated: { exitCode: 255, reason: 'StartError', message: 'exec /bin/billing: exec format error' },
        },
      },
    )
    const words = explainContainer(loop, context)
    expect(words.tone).toBe('bad')
    expect(words.what).toContain('This image is amd64-only, and the node node-2 is arm64')
    expect(words.remedy).toContain('kubernetes.io/arch: amd64')
  })

  it('names the memory limit that was exceeded', () => {
    const words = explainContainer(status({ terminated: { exitCode: 137, reason: 'OOMKilled' } }), context)
    expect(words.what).toContain('memory limit of 64Mi')
  })

  it('tells a finished program in a loop to be a Job', () => {
    const words = explainContainer(
      status(
        { waiting: { reason: 'CrashLoopBackOff' } },
        { restartCount: 1, lastState: { terminated: { exitCode: 0 } } },
      ),
      context,
    )
    expect(words.remedy).toContain('Job')
    expect(words.what).toContain('twice')
  })

  it.each([
    ['failed to resolve reference "billing:2": not found', 'The lab has no image billing:2'],
    ['no match for platform in manifest: not found', 'exists, but not for arm64 (only amd64)'],
    ['dial tcp: lookup registry: i/o timeout', 'could not reach a registry'],
    ['pull access denied', 'asks for credentials'],
  ])('explains a failed pull: %s', (message, expected) => {
    expect(explainContainer(status({ waiting: { reason: 'ImagePullBackOff', message } }), context).what).toContain(
      expected,
    )
  })

  it.each([
    [127, 'not found in the image'],
    [139, 'SIGSEGV'],
    [7, 'exit code 7'],
  ])('explains exit code %i', (exitCode, expected) => {
    expect(explainContainer(status({ terminated: { exitCode } }), context).what).toContain(expected)
  })

  it('is quiet about a healthy container', () => {
    expect(explainContainer(status({ running: {} }, { ready: true }), context)).toEqual({
      tone: 'ok',
      what: 'Running and ready.',
    })
  })
})

describe('scheduler messages', () => {
  it('are put into words per reason', () => {
    expect(
      unschedulableWords(
        "0/3 nodes are available: 1 Insufficient memory, 2 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
      ),
    ).toBe("1 of 3 has too little unreserved memory; 2 of 3 do not match the pod's node selector or affinity.")
  })
  it('keep a message they do not know', () => {
    expect(unschedulableWords('something else')).toBe('something else')
  })
  it('read taints', () => {
    expect(reasonWords('node(s) had untolerated taint {node.kubernetes.io/unreachable: }')).toBe('cannot be reached')
    expect(reasonWords('node(s) had untolerated taint {gpu: true}')).toBe(
      'is tainted with gpu, which the pod does not tolerate',
    )
  })
})
