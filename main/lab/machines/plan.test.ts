import { describe, expect, test } from 'vitest'
import type { Lab, Machine } from '../../../common/api/lab/v1alpha1.ts'
import type { VmObservation } from './driver.ts'
import { backOffMs, machineFinalizer, planMachine } from './plan.ts'

const nowMs = 1_000_000
const labOf = (powerState: 'Running' | 'Stopped'): Lab => ({
  apiVersion: 'lab.orrery.dev/v1alpha1',
  kind: 'Lab',
  metadata: { name: 'default' },
  spec: { powerState },
})

function machine(
  options: {
    spec?: Partial<Machine['spec']>
    deleting?: boolean
    registered?: boolean
    status?: Machine['status']
  } = {},
): Machine {
  const { deleting = false, registered = true, spec, status } = options
  return {
    apiVersion: 'lab.orrery.dev/v1alpha1',
    kind: 'Machine',
    metadata: {
      name: 'node-1',
      uid: 'u',
      generation: 2,
      ...(registered ? { finalizers: [machineFinalizer] } : {}),
      ...(deleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: { arch: 'amd64', ...spec },
    ...(registered ? { status: { index: 1, ...status } } : {}),
  }
}

const boot = {
  generation: 2,
  pid: 1,
  startedAtMs: 0,
  accelerator: 'tcg',
  cpus: 1,
  memoryMiB: 512,
  phases: {},
  agentConnected: false,
} as const
const running: VmObservation = { state: 'running', boot }
const preparing: VmObservation = { state: 'preparing', step: 'x', generation: 2, sinceMs: 0 }
const stopping: VmObservation = { state: 'stopping', sinceMs: 0 }
const absent = (extra: Partial<Extract<VmObservation, { state: 'absent' }>> = {}): VmObservation => ({
  state: 'absent',
  failuresInRow: 0,
  ...extra,
})
const died = (atMs: number, generation = 2): Extract<VmObservation, { state: 'absent' }>['exit'] => ({
  atMs,
  generation,
  unasked: true,
  crash: true,
  reason: 'KernelPanic',
  message: 'x',
})

const plan = (subject: Machine, vm: VmObservation, extra: { lab?: Lab; shuttingDown?: boolean } = {}): unknown =>
  planMachine({
    machine: subject,
    vm,
    lab: extra.lab ?? labOf('Running'),
    nowMs,
    shuttingDown: extra.shuttingDown ?? false,
  })

describe('plan of a machine', () => {
  test.each<[string, unknown, unknown]>([
    ['looks for a VM of an earlier engine first', plan(machine(), { state: 'unknown' }), { type: 'adopt' }],
    ['also when it is being deleted', plan(machine({ deleting: true }), { state: 'unknown' }), { type: 'adopt' }],
    ['registers before anything is made', plan(machine({ registered: false }), absent()), { type: 'register' }],
    ['boots what should run', plan(machine(), absent()), { type: 'boot' }],
    [
      'boots without a Lab object',
      planMachine({ machine: machine(), vm: absent(), lab: undefined, nowMs, shuttingDown: false }),
      { type: 'boot' },
    ],
    ['leaves a running machine alone', plan(machine(), running), { type: 'wait' }],
    ['stops it when told', plan(machine({ spec: { powerState: 'Stopped' } }), running), { type: 'power-off' }],
    ['stops it with its lab', plan(machine(), running, { lab: labOf('Stopped') }), { type: 'power-off' }],
    ['stops it with the engine when asked', plan(machine(), running, { shuttingDown: true }), { type: 'power-off' }],
    [
      'gives up a preparation that is not wanted any more',
      plan(machine({ spec: { powerState: 'Stopped' } }), preparing),
      { type: 'power-off' },
    ],
    ['waits for a machine that stops', plan(machine({ deleting: true }), stopping), { type: 'wait' }],
    ['keeps off what is off', plan(machine({ spec: { powerState: 'Stopped' } }), absent()), { type: 'wait' }],
    ['powers off before it deletes', plan(machine({ deleting: true }), running), { type: 'power-off' }],
    ['removes what is off and deleted', plan(machine({ deleting: true }), absent()), { type: 'remove' }],
    ['has nothing to remove twice', plan(machine({ deleting: true, registered: false }), absent()), { type: 'wait' }],
    [
      'restarts at once after a first death',
      plan(machine(), absent({ exit: died(nowMs - 1), failuresInRow: 1 })),
      { type: 'boot' },
    ],
    [
      'backs off after more',
      plan(machine(), absent({ exit: died(nowMs - 100), failuresInRow: 3 })),
      { type: 'wait', untilMs: nowMs - 100 + 2_000 },
    ],
    [
      'tries again after the back-off',
      plan(machine(), absent({ exit: died(nowMs - 2_001), failuresInRow: 3 })),
      { type: 'boot' },
    ],
    [
      'boots again after it was powered off and on',
      plan(machine(), absent({ exit: { ...died(nowMs), unasked: false, crash: false } as never })),
      { type: 'boot' },
    ],
  ])('%s', (_, got, wanted) => {
    expect(got).toEqual(wanted)
  })

  test('with restartPolicy Never a dead machine stays down until its spec changes', () => {
    const never = machine({ spec: { restartPolicy: 'Never' } })
    expect(plan(never, absent({ exit: died(1), failuresInRow: 1 }))).toEqual({ type: 'wait' })
    expect(plan(never, absent({ exit: died(1, 1), failuresInRow: 1 }))).toEqual({ type: 'boot' })
    const seenBefore = machine({ spec: { restartPolicy: 'Never' }, status: { phase: 'Failed', observedGeneration: 2 } })
    expect(plan(seenBefore, absent())).toEqual({ type: 'wait' })
  })

  test('a failure that trying again cannot mend waits for a change', () => {
    const failure = { atMs: 1, generation: 2, reason: 'QemuMissing', message: 'x', retryable: false }
    expect(plan(machine(), absent({ failure, failuresInRow: 1 }))).toEqual({ type: 'wait' })
    expect(plan(machine(), absent({ failure: { ...failure, generation: 1 }, failuresInRow: 1 }))).toEqual({
      type: 'boot',
    })
    expect(plan(machine(), absent({ failure: { ...failure, retryable: true }, failuresInRow: 1 }))).toEqual({
      type: 'boot',
    })
  })

  test('back-off doubles to a minute', () => {
    expect([0, 1, 2, 3, 4, 8, 9, 50].map(backOffMs)).toEqual([0, 0, 1_000, 2_000, 4_000, 60_000, 60_000, 60_000])
  })
})
