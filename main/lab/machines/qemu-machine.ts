// One machine's VM, from "nothing runs" through preparation, boot, life and end. Holds the state and its changes; preparing is
// power-on.ts, what runs is live-machine.ts; decides nothing (plan.ts does).
import { rm } from 'node:fs/promises'
import type { AgentStatus } from '../../../common/channel/agent-api.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import type { MachinePaths } from '../../engine/paths.ts'
import type { LanSwitch } from '../../network/switch.ts'
import { readConsoleTail, type SerialConsole } from '../../vm/console.ts'
import { chooseForwardPort } from '../../vm/forward-port.ts'
import {
  adoptVm,
  endStray,
  forgetVm,
  lastWords,
  readState,
  type RunningVm,
  type VmExit,
  type VmFiles,
} from '../../vm/process.ts'
import type { AgentChannel, GuestSupplies } from './deps.ts'
import { diagnoseBootFailure, diagnoseExit } from './diagnose.ts'
import type { BootFailure, BootRequest, ExitReport, VmObservation, VmUsage } from './driver.ts'
import type { HostPreparation } from './host-facts.ts'
import { LiveMachine, stallMs } from './live-machine.ts'
import { powerOn } from './power-on.ts'

export interface QemuMachineOptions {
  readonly name: string
  readonly paths: MachinePaths
  /** The home: makes the forwarded port differ between homes. */
  readonly home: string
  readonly host: HostPreparation
  readonly supplies: GuestSupplies
  readonly lan: LanSwitch
  readonly channel: AgentChannel
  readonly clock: Clock
  readonly logger: Logger
  /** Ports that other machines of this lab are about to use. */
  readonly portsInUse: () => ReadonlySet<number>
  readonly onChange: () => void
}

/** What diagnosis reads of the console. */
const diagnosisBytes = 32 * 1024

type State =
  | { at: 'unknown' }
  | { at: 'absent' }
  | { at: 'preparing'; step: string; generation: number; sinceMs: number; abort: AbortController }
  | { at: 'running'; live: LiveMachine }
  | { at: 'stopping'; live: LiveMachine | undefined; sinceMs: number }

export class QemuMachine {
  readonly #options: QemuMachineOptions
  readonly #files: VmFiles
  #state: State = { at: 'unknown' }
  #exit: ExitReport | undefined
  #failure: BootFailure | undefined
  #failuresInRow = 0
  #adoption: Promise<void> | undefined
  #hostPort: number | undefined

  constructor(options: QemuMachineOptions) {
    this.#options = options
    this.#files = {
      state: options.paths.state,
      qemuLog: options.paths.qemuLog,
      pidFile: `${options.paths.folder}/qemu.pid`,
    }
  }

  get hostPort(): number | undefined {
    return this.#hostPort
  }

  /** The open console of a running VM. */
  get console(): SerialConsole | undefined {
    return this.#live?.console
  }

  get #live(): LiveMachine | undefined {
    return this.#state.at === 'running' || this.#state.at === 'stopping' ? this.#state.live : undefined
  }

  observe(): VmObservation {
    const state = this.#state
    switch (state.at) {
      case 'unknown':
        return { state: 'unknown' }
      case 'absent':
        return {
          state: 'absent',
          failuresInRow: this.#failuresInRow,
          ...(this.#exit === undefined ? {} : { exit: this.#exit }),
          ...(this.#failure === undefined ? {} : { failure: this.#failure }),
        }
      case 'preparing':
        return { state: 'preparing', step: state.step, generation: state.generation, sinceMs: state.sinceMs }
      case 'running':
        return { state: 'running', boot: state.live.report() }
      case 'stopping':
        return {
          state: 'stopping',
          sinceMs: state.sinceMs,
          ...(state.live === undefined ? {} : { boot: state.live.report() }),
        }
    }
  }

  adopt(): Promise<void> {
    this.#adoption ??= this.#adopt()
    return this.#adoption
  }

  boot(request: BootRequest): void {
    if (this.#state.at !== 'absent') return
    const abort = new AbortController()
    this.#become({
      at: 'preparing',
      step: 'starting',
      generation: request.generation,
      sinceMs: this.#options.clock.now(),
      abort,
    })
    this.#boot(request, abort.signal).catch((error: unknown) => {
      this.#bootFailed(request, error, abort.signal.aborted)
    })
  }

  powerOff(graceMs: number): void {
    if (this.#state.at === 'preparing') {
      const { abort, sinceMs } = this.#state
      abort.abort()
      this.#become({ at: 'stopping', live: undefined, sinceMs })
      return
    }
    if (this.#state.at !== 'running') return
    const { live } = this.#state
    this.#become({ at: 'stopping', live, sinceMs: this.#options.clock.now() })
    void live.powerOff(graceMs)
  }

  async remove(): Promise<void> {
    const { lan, name, paths } = this.#options
    await lan.closePort(name)
    await rm(paths.folder, { recursive: true, force: true })
    for (const endpoint of [paths.qmpSocket, paths.consoleSocket]) await rm(endpoint, { force: true })
    this.#exit = undefined
    this.#failure = undefined
    this.#failuresInRow = 0
  }

  /** CPU since the last question; undefined when nothing runs. */
  async usage(): Promise<VmUsage | undefined> {
    return this.#live?.usage()
  }

  agentConnected(status: AgentStatus): void {
    this.#live?.agentConnected(status)
  }

  agentDisconnected(reason: string): void {
    this.#live?.agentDisconnected(reason)
  }

  async release(): Promise<void> {
    await this.#adoption
    if (this.#state.at === 'preparing') this.#state.abort.abort()
    this.#live?.release()
  }

  #become(state: State): void {
    this.#state = state
    this.#options.onChange()
  }

  #step(step: string): void {
    if (this.#state.at !== 'preparing' || this.#state.step === step) return
    this.#become({ ...this.#state, step })
  }

  async #adopt(): Promise<void> {
    const { clock, logger, name, paths } = this.#options
    const adoption = await adoptVm(this.#files)
    if (adoption.found === 'running') {
      logger.info('machine adopted', { machine: name, pid: adoption.vm.state.pid })
      await this.#watchOver(adoption.vm, true)
      return
    }
    if (adoption.found === 'nothing' && (await endStray({ type: 'unix', path: paths.qmpSocket }))) {
      logger.warn('a VM without a record was ended', { machine: name })
    }
    if (adoption.found === 'dead') {
      this.#exit = {
        atMs: clock.now(),
        generation: adoption.state.generation,
        unasked: true,
        crash: !adoption.hostRestarted,
        ...(adoption.hostRestarted
          ? { reason: 'HostRestarted', message: 'the computer was restarted while the machine ran' }
          : { reason: 'DiedUnwatched', message: 'the VM ended while no engine was running' }),
      }
    }
    this.#become({ at: 'absent' })
  }

  async #boot(request: BootRequest, signal: AbortSignal): Promise<void> {
    const vm = await powerOn({
      ...this.#options,
      files: this.#files,
      request,
      chooseHostPort: () => this.#chooseHostPort(),
      onStep: (step) => {
        this.#step(step)
      },
      signal,
    })
    await this.#watchOver(vm, false)
  }

  async #chooseHostPort(): Promise<number> {
    const { home, name, paths, portsInUse } = this.#options
    const last = this.#hostPort ?? (await readState(paths.state))?.hostPort
    const seed = `${home} ${name}`
    this.#hostPort = await chooseForwardPort({ seed, avoid: portsInUse(), ...(last === undefined ? {} : { last }) })
    return this.#hostPort
  }

  /** From here on the VM is watched, whoever started it. */
  async #watchOver(vm: RunningVm, adopted: boolean): Promise<void> {
    this.#failure = undefined
    this.#hostPort = vm.state.hostPort
    const live = new LiveMachine({ ...this.#options, vm, adopted })
    const wanted = this.#state.at !== 'stopping'
    this.#become(wanted ? { at: 'running', live } : { at: 'stopping', live, sinceMs: this.#options.clock.now() })
    void vm.exited.then((exit) => this.#ended(live, exit))
    await live.watch()
    if (!wanted) void live.powerOff(0)
  }

  async #ended(live: LiveMachine, exit: VmExit): Promise<void> {
    const { clock, logger, name, paths } = this.#options
    await live.ended()
    const asked = this.#state.at === 'stopping'
    const { state } = live.vm
    const tail = await readConsoleTail(paths.consoleLog, diagnosisBytes).catch(() => Buffer.alloc(0))
    const diagnosis = live.stalled
      ? {
          crash: true,
          reason: 'BootStalled',
          message: `the machine did not get further in its boot for ${String(stallMs / 1000)} s and was ended; its console shows where it stood (orrery console ${name})`,
        }
      : diagnoseExit({
          exit,
          machine: name,
          memoryMiB: state.memoryMiB,
          consoleTail: tail.toString('latin1'),
          qemuWords: await lastWords(paths.qemuLog),
        })
    this.#failuresInRow = asked ? 0 : (live.ranWell ? 0 : this.#failuresInRow) + (diagnosis.crash ? 1 : 0)
    this.#exit = asked
      ? {
          atMs: clock.now(),
          generation: state.generation,
          unasked: false,
          crash: false,
          reason: 'PoweredOff',
          message: 'the machine was powered off',
        }
      : { atMs: clock.now(), generation: state.generation, unasked: true, ...diagnosis }
    logger.info('machine ended', {
      machine: name,
      reason: this.#exit.reason,
      unasked: !asked,
      code: exit.code,
      signal: exit.signal,
    })
    await forgetVm(this.#files)
    this.#become({ at: 'absent' })
  }

  #bootFailed(request: BootRequest, error: unknown, wasAborted: boolean): void {
    if (!wasAborted) {
      this.#failuresInRow++
      this.#failure = { atMs: this.#options.clock.now(), generation: request.generation, ...diagnoseBootFailure(error) }
      this.#options.logger.warn('machine could not be started', {
        machine: request.name,
        reason: this.#failure.reason,
        error: this.#failure.message,
      })
    }
    this.#become({ at: 'absent' })
  }
}
