// A driver without virtual machines: boots are steps in memory, taken when `advance` is called or at once. For control planes that run
// without QEMU and for tests of everything above the driver; passes the same contract as the real one.
import { type BootPhase, bootPhases } from '../../../common/channel/agent-api.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { BootFailure, BootRequest, ExitReport, MachineDriver, VmObservation } from './driver.ts'

export interface FakeDriver extends MachineDriver {
  /** Takes a booting machine to this phase; "Agent" connects its agent. */
  reach(name: string, phase: BootPhase): void
  /** Ends a machine as if it had died. */
  die(name: string, exit: Pick<ExitReport, 'crash' | 'reason' | 'message'>): void
  /** The next boot of this machine fails so. */
  failNextBoot(name: string, failure: Pick<BootFailure, 'reason' | 'message' | 'retryable'>): void
  loseAgent(name: string, reason: string): void
  /** Requests so far, newest last. */
  readonly boots: readonly BootRequest[]
}

export interface FakeDriverOptions {
  readonly clock: Clock
  /** True: a booted machine reaches all phases at once. */
  readonly instant?: boolean
  /** VMs that run already when the driver is made, as an earlier engine would have left them. */
  readonly left?: readonly BootRequest[]
  readonly firstPid?: number
}

interface FakeVm {
  observation: VmObservation
  request: BootRequest | undefined
  failuresInRow: number
  nextFailure: Pick<BootFailure, 'reason' | 'message' | 'retryable'> | undefined
}

export function createFakeDriver(options: FakeDriverOptions): FakeDriver {
  const { clock, instant = false } = options
  const machines = new Map<string, FakeVm>()
  const left = new Map((options.left ?? []).map((request) => [request.name, request]))
  const listeners = new Set<(name: string) => void>()
  const boots: BootRequest[] = []
  let nextPid = options.firstPid ?? 1_000

  const of = (name: string): FakeVm => {
    let vm = machines.get(name)
    if (vm === undefined) {
      vm = { observation: { state: 'unknown' }, request: undefined, failuresInRow: 0, nextFailure: undefined }
      machines.set(name, vm)
    }
    return vm
  }
  const become = (name: string, observation: VmObservation): void => {
    of(name).observation = observation
    for (const listener of listeners) listener(name)
  }
  const run = (request: BootRequest): void => {
    of(request.name).request = request
    become(request.name, {
      state: 'running',
      boot: {
        generation: request.generation,
        pid: nextPid++,
        startedAtMs: clock.now(),
        accelerator: 'tcg',
        cpus: request.cpus,
        memoryMiB: request.memoryMiB,
        phases: {},
        agentConnected: false,
      },
    })
  }
  const absent = (name: string, extra: { exit?: ExitReport; failure?: BootFailure }): void => {
    become(name, { state: 'absent', failuresInRow: of(name).failuresInRow, ...extra })
  }

  const driver: FakeDriver = {
    boots,
    async adopt(name) {
      if (of(name).observation.state !== 'unknown') return
      const request = left.get(name)
      if (request === undefined) absent(name, {})
      else run(request)
      return Promise.resolve()
    },
    observe: (name) => machines.get(name)?.observation ?? { state: 'unknown' },
    boot(request) {
      const vm = of(request.name)
      if (vm.observation.state !== 'absent') return
      boots.push(request)
      const { nextFailure } = vm
      vm.nextFailure = undefined
      if (nextFailure !== undefined) {
        vm.failuresInRow++
        absent(request.name, { failure: { ...nextFailure, atMs: clock.now(), generation: request.generation } })
        return
      }
      run(request)
      if (instant) for (const phase of bootPhases) driver.reach(request.name, phase)
    },
    powerOff(name) {
      const { observation, request } = of(name)
      if (observation.state !== 'running') return
      of(name).failuresInRow = 0
      become(name, { state: 'stopping', sinceMs: clock.now(), boot: observation.boot })
      absent(name, {
        exit: {
          atMs: clock.now(),
          generation: request?.generation ?? 0,
          unasked: false,
          crash: false,
          reason: 'PoweredOff',
          message: 'the machine was powered off',
        },
      })
    },
    leftovers: () => Promise.resolve([...left.keys()]),
    remove(name) {
      machines.delete(name)
      left.delete(name)
      return Promise.resolve()
    },
    usage: (name) =>
      Promise.resolve(
        driver.observe(name).state === 'running' ? { rssBytes: 400 * 1024 * 1024, cpuMillis: 20 } : undefined,
      ),
    accelerators: () => [],
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    release: () => Promise.resolve(),
    reach(name, phase) {
      const { observation } = of(name)
      if (observation.state !== 'running') return
      const { boot } = observation
      become(name, {
        state: 'running',
        boot: {
          ...boot,
          phases: { ...boot.phases, [phase]: clock.now() - boot.startedAtMs },
          agentConnected: boot.agentConnected || phase === 'Agent',
        },
      })
    },
    die(name, exit) {
      const vm = of(name)
      if (exit.crash) vm.failuresInRow++
      absent(name, { exit: { ...exit, unasked: true, atMs: clock.now(), generation: vm.request?.generation ?? 0 } })
    },
    failNextBoot(name, failure) {
      of(name).nextFailure = failure
    },
    loseAgent(name, reason) {
      const { observation } = of(name)
      if (observation.state !== 'running') return
      become(name, { state: 'running', boot: { ...observation.boot, agentConnected: false, agentProblem: reason } })
    },
  }
  return driver
}
