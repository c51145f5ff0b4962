// One machine's VM, from "nothing runs" through preparation, boot, life and end. Owns its QEMU process, console reader, LAN cable
// and disk-full handling; decides nothing (plan.ts does).
import { mkdir, rm } from 'node:fs/promises'
import type { AgentStatus, BootPhase } from '../../../common/channel/agent-api.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import type { MachinePaths } from '../../engine/paths.ts'
import type { LanSwitch } from '../../network/switch.ts'
import { commandLine } from '../../vm/command-line.ts'
import { writeConfigDisk } from '../../vm/config-disk.ts'
import { openConsole, readConsoleTail, type SerialConsole } from '../../vm/console.ts'
import { ensureDisk } from '../../vm/disk.ts'
import { newEndpoint } from '../../vm/endpoint.ts'
import { chooseForwardPort } from '../../vm/forward-port.ts'
import { platform, type ProcessUsage } from '../../vm/platform/index.ts'
import {
  adoptVm,
  endStray,
  forgetVm,
  lastWords,
  launchVm,
  readState,
  type RunningVm,
  type VmExit,
  type VmFiles,
} from '../../vm/process.ts'
import { VmError } from '../../vm/vm-error.ts'
import { PhaseReader } from './boot-phases.ts'
import type { AgentChannel, GuestSupplies } from './deps.ts'
import { diagnoseExit, diagnoseQemuFailure } from './diagnose.ts'
import { DiskSpaceGuard } from './disk-space-guard.ts'
import type { BootFailure, BootReport, BootRequest, ExitReport, VmObservation, VmUsage } from './driver.ts'
import { agentGuestPort, guestConfigOf } from './guest-config-of.ts'
import type { HostPreparation } from './host-facts.ts'
import { LanCable } from './lan-cable.ts'

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

/** A boot that reaches no further phase for this long is given up: emulated boots of a crowded lab took 60 s at most. */
const stallMs = 300_000
/** After this long with its agent connected a machine counts as running well. */
const wellAfterMs = 60_000
/** What diagnosis reads of the console. */
const diagnosisBytes = 32 * 1024

interface Live {
  readonly vm: RunningVm
  readonly cable: LanCable
  readonly spaceGuard: DiskSpaceGuard
  readonly adopted: boolean
  console: SerialConsole | undefined
  phases: Partial<Record<BootPhase, number>>
  /** Host milliseconds from power-on to kernel start, once a phase line told. */
  kernelStartMs: number | undefined
  agentConnected: boolean
  bootId: string | undefined
  agentProblem: string | undefined
  connectedAtMs: number | undefined
  stalled: boolean
  cancelStall: () => void
}

type State =
  | { at: 'unknown' }
  | { at: 'absent' }
  | { at: 'preparing'; step: string; generation: number; sinceMs: number; abort: AbortController }
  | { at: 'running'; live: Live }
  | { at: 'stopping'; live: Live | undefined; sinceMs: number }

export class QemuMachine {
  readonly #options: QemuMachineOptions
  readonly #files: VmFiles
  #state: State = { at: 'unknown' }
  #exit: ExitReport | undefined
  #failure: BootFailure | undefined
  #failuresInRow = 0
  #adoption: Promise<void> | undefined
  #hostPort: number | undefined
  #lastUsage: { usage: ProcessUsage; atMs: number } | undefined
  #released = false

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

  get #live(): Live | undefined {
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
        return { state: 'running', boot: report(state.live) }
      case 'stopping':
        return {
          state: 'stopping',
          sinceMs: state.sinceMs,
          ...(state.live === undefined ? {} : { boot: report(state.live) }),
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
    void this.#powerOff(live, graceMs)
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
    const live = this.#live
    if (live === undefined) return undefined
    const usage = await platform.processUsage(live.vm.state.pid)
    if (usage === undefined) return undefined
    const atMs = this.#options.clock.now()
    const last = this.#lastUsage
    this.#lastUsage = { usage, atMs }
    const elapsedMs = last === undefined ? atMs - live.vm.state.bootedAtMs : atMs - last.atMs
    const cpuMs = usage.cpuMs - (last?.usage.cpuMs ?? 0)
    return {
      rssBytes: usage.rssBytes,
      cpuMillis: elapsedMs <= 0 ? 0 : Math.max(0, Math.round((cpuMs * 1000) / elapsedMs)),
    }
  }

  agentConnected(status: AgentStatus): void {
    const live = this.#live
    if (live === undefined) return
    live.agentConnected = true
    live.bootId = status.bootId
    live.agentProblem = undefined
    live.connectedAtMs ??= this.#options.clock.now()
    live.cancelStall()
    const sinceBootMs = this.#options.clock.now() - live.vm.state.bootedAtMs
    for (const { name, atMs } of status.phases) {
      const ms = atMs + (live.kernelStartMs ?? 0)
      // A clock that the guest set later cannot make a phase lie in the future.
      if (live.phases[name] === undefined && ms <= sinceBootMs) live.phases[name] = ms
    }
    if (!live.adopted) live.phases.Agent ??= sinceBootMs
    this.#options.onChange()
  }

  agentDisconnected(reason: string): void {
    const live = this.#live
    if (live?.agentConnected !== true) return
    live.agentConnected = false
    live.agentProblem = reason
    this.#options.onChange()
  }

  async release(): Promise<void> {
    this.#released = true
    await this.#adoption
    if (this.#state.at === 'preparing') this.#state.abort.abort()
    const live = this.#live
    if (live === undefined) return
    live.cancelStall()
    live.cable.stop()
    live.spaceGuard.stop()
    live.console?.close()
    live.vm.release()
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
    const { clock, host, lan, name, paths, supplies } = this.#options
    const prepared = await Promise.race([
      host.prepare(request.arch, (step) => {
        this.#step(step)
      }),
      aborted(signal),
    ])
    this.#step('creating the disk')
    await mkdir(paths.folder, { recursive: true, mode: 0o700 })
    await ensureDisk({ path: paths.disk, template: prepared.image.dataTemplate, sizeGiB: request.diskGiB })
    const [credentials, agentBundle] = await Promise.all([
      supplies.issueAgentCertificate({ name, uid: request.uid }),
      supplies.agentBundle(),
    ])
    await writeConfigDisk(
      paths.configDisk,
      guestConfigOf({
        request,
        credentials,
        network: supplies.network,
        pauseImage: supplies.pauseImage,
        registryPort: supplies.registryPort,
        nowMs: clock.now(),
      }),
      agentBundle,
    )
    this.#step('starting QEMU')
    await lan.portOf(name)
    const [qmp, console] = await Promise.all([newEndpoint(paths.qmpSocket), newEndpoint(paths.consoleSocket)])
    const last = this.#hostPort ?? (await readState(paths.state))?.hostPort
    const hostPort = await chooseForwardPort({
      seed: `${this.#options.home} ${name}`,
      avoid: this.#options.portsInUse(),
      ...(last === undefined ? {} : { last }),
    })
    this.#hostPort = hostPort
    signal.throwIfAborted()
    const args = commandLine(
      {
        name,
        arch: request.arch,
        cpus: request.cpus,
        memoryMiB: request.memoryMiB,
        kernel: prepared.image.kernel,
        initrd: prepared.image.initrd,
        root: prepared.image.root,
        disk: paths.disk,
        configDisk: paths.configDisk,
        macs: request.identity.macs,
        agentForward: { hostPort, guestPort: agentGuestPort },
        qmp,
        console,
        consoleLog: paths.consoleLog,
        pidFile: this.#files.pidFile,
      },
      prepared.facts,
    )
    const vm = await launchVm({
      files: this.#files,
      binary: prepared.facts.qemu.binary,
      args,
      consoleLog: paths.consoleLog,
      signal,
      state: {
        machine: name,
        machineUid: request.uid,
        qmp,
        console,
        hostPort,
        qemuVersion: prepared.facts.qemu.version,
        accelerator: prepared.facts.accelerator,
        cpus: request.cpus,
        memoryMiB: request.memoryMiB,
        generation: request.generation,
      },
    })
    await this.#watchOver(vm, false)
  }

  /** From here on the VM is watched, whoever started it. */
  async #watchOver(vm: RunningVm, adopted: boolean): Promise<void> {
    const { channel, clock, lan, logger, name, paths } = this.#options
    this.#failure = undefined
    this.#lastUsage = undefined
    this.#hostPort = vm.state.hostPort
    const live: Live = {
      vm,
      adopted,
      cable: new LanCable({ machine: name, vm, lan, clock, logger }),
      spaceGuard: new DiskSpaceGuard({ vm, folder: paths.folder, clock, logger, onChange: this.#options.onChange }),
      console: undefined,
      phases: {},
      kernelStartMs: undefined,
      agentConnected: channel.isConnected(name),
      bootId: undefined,
      agentProblem: undefined,
      connectedAtMs: undefined,
      stalled: false,
      cancelStall: () => undefined,
    }
    const wanted = this.#state.at !== 'stopping'
    this.#become(wanted ? { at: 'running', live } : { at: 'stopping', live, sinceMs: clock.now() })
    void vm.exited.then((exit) => this.#ended(live, exit))
    live.cable.start()
    live.spaceGuard.start()
    if (!live.agentConnected) this.#watchForStall(live)
    await this.#readConsole(live)
    channel.attach(name, { port: vm.state.hostPort })
    if (!wanted) void this.#powerOff(live, 0)
  }

  async #readConsole(live: Live): Promise<void> {
    const { logger, name, paths } = this.#options
    const { state } = live.vm
    try {
      live.console = await openConsole({
        endpoint: state.console,
        logPath: paths.consoleLog,
        fromOffset: state.consoleOffset,
      })
    } catch (error) {
      logger.warn('console could not be opened', { machine: name, error: (error as Error).message })
      return
    }
    const reader = new PhaseReader(({ phase, uptimeMs }) => {
      const sinceBootMs = this.#options.clock.now() - state.bootedAtMs
      // Replayed output of an adopted VM tells nothing about when it was printed; the guest's own clock has to do.
      live.kernelStartMs ??= live.adopted ? 0 : Math.max(0, sinceBootMs - uptimeMs)
      live.phases[phase] ??= uptimeMs + live.kernelStartMs
      if (!live.agentConnected) this.#watchForStall(live)
      this.#options.onChange()
    })
    live.console.attach(
      (chunk) => {
        reader.push(chunk)
      },
      { historyBytes: 0 },
    )
  }

  #watchForStall(live: Live): void {
    live.cancelStall()
    if (live.connectedAtMs !== undefined) return
    live.cancelStall = this.#options.clock.after(stallMs, () => {
      if (live.connectedAtMs !== undefined || this.#released) return
      live.stalled = true
      void live.vm.end()
    })
  }

  async #powerOff(live: Live, graceMs: number): Promise<void> {
    const abort = new AbortController()
    const deadline = new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(graceMs, resolve)
      abort.signal.addEventListener('abort', cancel, { once: true })
    })
    if (graceMs > 0) await live.vm.pressPowerButton().catch(() => undefined)
    await Promise.race([live.vm.exited, deadline])
    abort.abort()
    await live.vm.end()
  }

  async #ended(live: Live, exit: VmExit): Promise<void> {
    const { channel, clock, logger, name, paths } = this.#options
    live.cancelStall()
    live.cable.stop()
    live.spaceGuard.stop()
    channel.detach(name)
    await live.console?.ended
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
    const ranWell = live.connectedAtMs !== undefined && clock.now() - live.connectedAtMs >= wellAfterMs
    this.#failuresInRow = asked ? 0 : (ranWell ? 0 : this.#failuresInRow) + (diagnosis.crash ? 1 : 0)
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
      this.#failure = { atMs: this.#options.clock.now(), generation: request.generation, ...describeFailure(error) }
      this.#options.logger.warn('machine could not be started', {
        machine: request.name,
        reason: this.#failure.reason,
        error: this.#failure.message,
      })
    }
    this.#become({ at: 'absent' })
  }
}

function report(live: Live): BootReport {
  const { state } = live.vm
  const { paused } = live.spaceGuard
  return {
    generation: state.generation,
    pid: state.pid,
    startedAtMs: state.bootedAtMs,
    accelerator: state.accelerator,
    cpus: state.cpus,
    memoryMiB: state.memoryMiB,
    phases: { ...live.phases },
    agentConnected: live.agentConnected,
    ...(live.bootId === undefined ? {} : { bootId: live.bootId }),
    ...(live.agentProblem === undefined ? {} : { agentProblem: live.agentProblem }),
    ...(paused === undefined ? {} : { paused }),
  }
}

function describeFailure(error: unknown): { reason: string; message: string; retryable: boolean } {
  const message = error instanceof Error ? error.message : String(error)
  const known = diagnoseQemuFailure(message)
  if (known !== undefined) return { reason: known.reason, message: known.message, retryable: true }
  if (error instanceof VmError)
    return { reason: error.code, message: `${message}; ${error.hint}`, retryable: error.retryable }
  const hint = (error as { hint?: unknown } | undefined)?.hint
  return {
    reason: 'PreparationFailed',
    message: typeof hint === 'string' ? `${message}; ${hint}` : message,
    retryable: true,
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('cancelled'))
    }
    if (signal.aborted) fail()
    else signal.addEventListener('abort', fail, { once: true })
  })
}
