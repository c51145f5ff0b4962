import { describe, expect, test } from 'vitest'
import type { Machine, MachineStatus } from '../../../common/api/lab/v1alpha1.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import type { BootReport, VmObservation } from './driver.ts'
import { machineEvents } from './machine-events.ts'
import { machineStatus, type NodeView } from './machine-status.ts'

const bootMs = Date.UTC(2026, 0, 1, 12)
const identity = { index: 1, lanAddress: '10.77.0.11', podCIDR: '10.244.1.0/24', macs: { control: 'a', lan: 'b' } }

function machine(status: MachineStatus = {}, spec: Partial<Machine['spec']> = {}): Machine {
  return {
    apiVersion: 'lab.orrery.dev/v1alpha1',
    kind: 'Machine',
    metadata: { name: 'node-1', generation: 4 },
    spec: { arch: 'amd64', cpus: 1, memoryMiB: 512, ...spec },
    status: { ...identity, ...status },
  }
}

const boot = (extra: Partial<BootReport> = {}): BootReport => ({
  generation: 4,
  pid: 7,
  startedAtMs: bootMs,
  accelerator: 'tcg',
  cpus: 1,
  memoryMiB: 512,
  phases: {},
  agentConnected: false,
  ...extra,
})

function statusOf(
  vm: VmObservation,
  options: { atMs?: number; node?: NodeView; subject?: Machine } = {},
): MachineStatus {
  return machineStatus({
    machine: options.subject ?? machine(),
    lab: undefined,
    vm,
    nowMs: bootMs + (options.atMs ?? 0),
    shuttingDown: false,
    node: options.node,
  })
}

const condition = (status: MachineStatus, type: string): string | undefined =>
  status.conditions?.find((item) => item.type === type)?.status

describe('machine status', () => {
  test('says what each moment of a boot waits for, and when each phase was reached', () => {
    const seen: unknown[] = []
    let status: MachineStatus = machine().status ?? {}
    const step = (vm: VmObservation, atMs: number, node?: NodeView): void => {
      status = statusOf(vm, { atMs, subject: machine(status), ...(node === undefined ? {} : { node }) })
      seen.push([status.phase, status.reason, status.message])
    }
    step({ state: 'unknown' }, 0)
    step({ state: 'preparing', step: 'creating the disk', generation: 4, sinceMs: bootMs }, 0)
    step({ state: 'running', boot: boot() }, 10)
    step({ state: 'running', boot: boot({ phases: { Kernel: 900 } }) }, 950)
    step({ state: 'running', boot: boot({ phases: { Kernel: 900, Init: 2_400 } }) }, 2_450)
    step({ state: 'running', boot: boot({ phases: { Kernel: 900, Init: 2_400, Runtime: 6_200 } }) }, 6_300)
    const connected = boot({
      phases: { Kernel: 900, Init: 2_400, Runtime: 6_200, Agent: 6_600 },
      agentConnected: true,
      bootId: 'B',
    })
    step({ state: 'running', boot: connected }, 6_700)
    step({ state: 'running', boot: connected }, 7_000, { ready: true, bootId: 'A' })
    step({ state: 'running', boot: connected }, 7_500, {
      ready: false,
      message: 'container runtime is down',
      bootId: 'B',
    })
    step({ state: 'running', boot: connected }, 9_300, { ready: true, bootId: 'B' })
    expect(seen).toEqual([
      ['Pending', 'Looking', 'looking for a VM that an earlier engine left running'],
      ['Starting', 'Preparing', 'before power-on: creating the disk'],
      ['Starting', 'Booting', 'waiting for the kernel to start'],
      ['Starting', 'Booting', 'waiting for the guest’s init (disks, modules, network)'],
      ['Starting', 'Booting', 'waiting for the container runtime (containerd)'],
      ['Starting', 'Booting', 'waiting for the node agent to answer'],
      ['Running', 'WaitingForNode', 'waiting for the agent to register its Node'],
      ['Running', 'WaitingForNode', 'waiting for the Node to become Ready'],
      ['Running', 'WaitingForNode', 'waiting for the Node to become Ready: container runtime is down'],
      ['Running', 'Ready', 'ready'],
    ])
    expect(status).toMatchObject({
      ...identity,
      pid: 7,
      boots: 1,
      crashes: 0,
      accelerator: 'tcg',
      startedAt: formatTime(bootMs),
      bootMs: { kernel: 900, init: 2_400, runtime: 6_200, agent: 6_600, ready: 9_300 },
    })
    expect(
      ['KernelStarted', 'InitDone', 'RuntimeReady', 'AgentConnected', 'Ready'].map((type) => condition(status, type)),
    ).toEqual(['True', 'True', 'True', 'True', 'True'])
    expect(status.conditions?.find(({ type }) => type === 'RuntimeReady')?.lastTransitionTime).toBe(
      formatTime(bootMs + 6_200),
    )
  })

  test('is the same when nothing changed, so that nothing is written', () => {
    const vm: VmObservation = { state: 'running', boot: boot({ phases: { Init: 2_400 } }) }
    const first = statusOf(vm, { atMs: 3_000 })
    expect(statusOf(vm, { atMs: 9_000, subject: machine(first) })).toEqual(first)
  })

  test('an adopted VM keeps the boot times an earlier engine measured', () => {
    const before = statusOf(
      { state: 'running', boot: boot({ phases: { Init: 2_400, Runtime: 6_200 } }) },
      { atMs: 7_000 },
    )
    const after = statusOf(
      { state: 'running', boot: boot({ phases: { Init: 1_900, Runtime: 5_700 } }) },
      { atMs: 60_000, subject: machine(before) },
    )
    expect(after.bootMs).toEqual({ init: 2_400, runtime: 6_200 })
    expect(after.boots).toBe(1)
  })

  test('a crash is counted once, and told', () => {
    const exit = {
      atMs: bootMs + 5_000,
      generation: 4,
      unasked: true,
      crash: true,
      reason: 'KernelPanic',
      message: 'the guest’s kernel panicked: x',
    }
    const vm: VmObservation = { state: 'absent', exit, failuresInRow: 1 }
    const first = statusOf(vm, { atMs: 5_001, subject: machine({ pid: 7, crashes: 2, boots: 3 }) })
    expect(first).toMatchObject({
      phase: 'Starting',
      reason: 'Restarting',
      crashes: 3,
      boots: 3,
      lastExit: { reason: 'KernelPanic' },
    })
    expect(first.pid).toBeUndefined()
    const second = statusOf({ ...vm, failuresInRow: 4 }, { atMs: 5_100, subject: machine(first) })
    expect(second).toMatchObject({
      phase: 'Pending',
      reason: 'CrashLoopBackOff',
      crashes: 3,
      message: 'the guest’s kernel panicked: x; next try after 4 s',
    })
    expect(machineEvents({ crashes: 2 }, first)).toContainEqual({
      type: 'Warning',
      reason: 'KernelPanic',
      message: 'The guest’s kernel panicked: x',
    })
    expect(machineEvents(first, second)).toEqual([])
  })

  test('a machine of a stopped lab says why it is off', () => {
    const off = { state: 'absent', failuresInRow: 0 } as const
    const lab = {
      apiVersion: 'lab.orrery.dev/v1alpha1',
      kind: 'Lab',
      metadata: { name: 'default' },
      spec: { powerState: 'Stopped' },
    } as const
    expect(
      machineStatus({ machine: machine(), lab, vm: off, nowMs: bootMs, shuttingDown: false, node: undefined }),
    ).toMatchObject({ phase: 'Stopped', reason: 'LabStopped' })
    expect(statusOf(off, { subject: machine({}, { powerState: 'Stopped' }) })).toMatchObject({
      phase: 'Stopped',
      reason: 'PoweredOff',
      message: 'off',
    })
  })

  test('a failure that needs a person says what to do', () => {
    const failure = {
      atMs: bootMs,
      generation: 4,
      reason: 'QemuMissing',
      message: 'qemu-img was not found on this computer; install QEMU',
      retryable: false,
    }
    expect(statusOf({ state: 'absent', failure, failuresInRow: 1 })).toMatchObject({
      phase: 'Failed',
      reason: 'QemuMissing',
      message: failure.message,
    })
    expect(
      statusOf({ state: 'absent', failure: { ...failure, retryable: true }, failuresInRow: 3 }, { atMs: 100 }),
    ).toMatchObject({ phase: 'Pending', message: `${failure.message}; next try after 2 s` })
  })

  test('changed cpus or memory are announced as waiting for a restart', () => {
    const vm: VmObservation = { state: 'running', boot: boot({ agentConnected: true, phases: { Agent: 1 } }) }
    expect(statusOf(vm, { node: { ready: true }, subject: machine({}, { memoryMiB: 1_024 }) })).toMatchObject({
      phase: 'Running',
      reason: 'RestartNeeded',
    })
  })

  test('an agent that is gone and a full disk are said, and Ready is false', () => {
    const lost = statusOf(
      { state: 'running', boot: boot({ phases: { Agent: 1 }, agentProblem: 'it did not answer for 40 s' }) },
      { node: { ready: true } },
    )
    expect(lost).toMatchObject({
      phase: 'Running',
      reason: 'AgentDisconnected',
      message: 'the agent is not connected any more (it did not answer for 40 s); dialling again',
    })
    expect([condition(lost, 'AgentConnected'), condition(lost, 'Ready')]).toEqual(['False', 'False'])
    const paused = statusOf({ state: 'running', boot: boot({ paused: { reason: 'DiskFull', message: 'no space' } }) })
    expect(paused).toMatchObject({ reason: 'DiskFull', message: 'no space' })
    expect(machineEvents({}, paused).at(-1)).toEqual({ type: 'Warning', reason: 'DiskFull', message: 'No space' })
  })
})
