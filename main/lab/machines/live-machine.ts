// A VM that runs, whoever started it: its console and boot phases, its agent, its LAN cable, its disk's room, its end on request.
import type { AgentStatus, BootPhase } from '../../../common/channel/agent-api.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import type { MachinePaths } from '../../engine/paths.ts'
import type { LanSwitch } from '../../network/switch.ts'
import { openConsole, type SerialConsole } from '../../vm/console.ts'
import { platform, type ProcessUsage } from '../../vm/platform/index.ts'
import type { RunningVm } from '../../vm/process.ts'
import { PhaseReader } from './boot-phases.ts'
import type { AgentChannel } from './deps.ts'
import { DiskSpaceGuard } from './disk-space-guard.ts'
import type { BootReport, VmUsage } from './driver.ts'
import { LanCable } from './lan-cable.ts'

/** A boot that reaches no further phase for this long is given up: emulated boots of a crowded lab took 60 s at most. */
export const stallMs = 300_000
/** After this long with its agent connected a machine counts as running well. */
const wellAfterMs = 60_000

export interface LiveMachineOptions {
  readonly name: string
  readonly paths: MachinePaths
  readonly vm: RunningVm
  /** It ran already when this engine started. */
  readonly adopted: boolean
  readonly lan: LanSwitch
  readonly channel: AgentChannel
  readonly clock: Clock
  readonly logger: Logger
  readonly onChange: () => void
}

export class LiveMachine {
  readonly vm: RunningVm
  readonly #options: LiveMachineOptions
  readonly #cable: LanCable
  readonly #spaceGuard: DiskSpaceGuard
  readonly #phases: Partial<Record<BootPhase, number>> = {}
  #console: SerialConsole | undefined
  /** Host milliseconds from power-on to kernel start, once a phase line told. */
  #kernelStartMs: number | undefined
  #agentConnected: boolean
  #bootId: string | undefined
  #agentProblem: string | undefined
  #connectedAtMs: number | undefined
  #stalled = false
  #cancelStall: () => void = () => undefined
  #lastUsage: { usage: ProcessUsage; atMs: number } | undefined

  constructor(options: LiveMachineOptions) {
    const { channel, clock, lan, logger, name, onChange, paths, vm } = options
    this.vm = vm
    this.#options = options
    this.#cable = new LanCable({ machine: name, vm, lan, clock, logger })
    this.#spaceGuard = new DiskSpaceGuard({ vm, folder: paths.folder, clock, logger, onChange })
    this.#agentConnected = channel.isConnected(name)
  }

  get console(): SerialConsole | undefined {
    return this.#console
  }

  /** Given up because its boot went no further. */
  get stalled(): boolean {
    return this.#stalled
  }

  /** Its agent has been there for long enough that what happens now is no failed boot. */
  get ranWell(): boolean {
    return this.#connectedAtMs !== undefined && this.#options.clock.now() - this.#connectedAtMs >= wellAfterMs
  }

  /** Resolves when the console is read and the agent is being looked for. */
  async watch(): Promise<void> {
    const { channel, name } = this.#options
    this.#cable.start()
    this.#spaceGuard.start()
    if (!this.#agentConnected) this.#watchForStall()
    await this.#readConsole()
    channel.attach(name, { port: this.vm.state.hostPort })
  }

  /** The VM has ended: resolves when all its console output has been read. */
  async ended(): Promise<void> {
    this.#cancelStall()
    this.#cable.stop()
    this.#spaceGuard.stop()
    this.#options.channel.detach(this.#options.name)
    await this.#console?.ended
  }

  /** Lets go of the VM, which runs on. */
  release(): void {
    this.#cancelStall()
    this.#cable.stop()
    this.#spaceGuard.stop()
    this.#console?.close()
    this.vm.release()
  }

  agentConnected(status: AgentStatus): void {
    const now = this.#options.clock.now()
    this.#agentConnected = true
    this.#bootId = status.bootId
    this.#agentProblem = undefined
    this.#connectedAtMs ??= now
    this.#cancelStall()
    const sinceBootMs = now - this.vm.state.bootedAtMs
    for (const { name, atMs } of status.phases) {
      const ms = atMs + (this.#kernelStartMs ?? 0)
      // A clock that the guest set later cannot make a phase lie in the future.
      if (this.#phases[name] === undefined && ms <= sinceBootMs) this.#phases[name] = ms
    }
    if (!this.#options.adopted) this.#phases.Agent ??= sinceBootMs
    this.#options.onChange()
  }

  agentDisconnected(reason: string): void {
    if (!this.#agentConnected) return
    this.#agentConnected = false
    this.#agentProblem = reason
    this.#options.onChange()
  }

  /** The power button, and after the grace period the plug. */
  async powerOff(graceMs: number): Promise<void> {
    const abort = new AbortController()
    const deadline = new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(graceMs, resolve)
      abort.signal.addEventListener('abort', cancel, { once: true })
    })
    if (graceMs > 0) await this.vm.pressPowerButton().catch(() => undefined)
    await Promise.race([this.vm.exited, deadline])
    abort.abort()
    await this.vm.end()
  }

  /** CPU since the last question; undefined when the process is gone. */
  async usage(): Promise<VmUsage | undefined> {
    const usage = await platform.processUsage(this.vm.state.pid)
    if (usage === undefined) return undefined
    const atMs = this.#options.clock.now()
    const last = this.#lastUsage
    this.#lastUsage = { usage, atMs }
    const elapsedMs = last === undefined ? atMs - this.vm.state.bootedAtMs : atMs - last.atMs
    const cpuMs = usage.cpuMs - (last?.usage.cpuMs ?? 0)
    return {
      rssBytes: usage.rssBytes,
      cpuMillis: elapsedMs <= 0 ? 0 : Math.max(0, Math.round((cpuMs * 1000) / elapsedMs)),
    }
  }

  report(): BootReport {
    const { state } = this.vm
    const { paused } = this.#spaceGuard
    return {
      generation: state.generation,
      pid: state.pid,
      startedAtMs: state.bootedAtMs,
      accelerator: state.accelerator,
      cpus: state.cpus,
      memoryMiB: state.memoryMiB,
      phases: { ...this.#phases },
      agentConnected: this.#agentConnected,
      ...(this.#bootId === undefined ? {} : { bootId: this.#bootId }),
      ...(this.#agentProblem === undefined ? {} : { agentProblem: this.#agentProblem }),
      ...(paused === undefined ? {} : { paused }),
    }
  }

  async #readConsole(): Promise<void> {
    const { adopted, logger, name, paths } = this.#options
    const { state } = this.vm
    try {
      this.#console = await openConsole({
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
      this.#kernelStartMs ??= adopted ? 0 : Math.max(0, sinceBootMs - uptimeMs)
      this.#phases[phase] ??= uptimeMs + this.#kernelStartMs
      if (!this.#agentConnected) this.#watchForStall()
      this.#options.onChange()
    })
    this.#console.attach(
      (chunk) => {
        reader.push(chunk)
      },
      { historyBytes: 0 },
    )
  }

  #watchForStall(): void {
    this.#cancelStall()
    if (this.#connectedAtMs !== undefined) return
    this.#cancelStall = this.#options.clock.after(stallMs, () => {
      this.#stalled = true
      void this.vm.end()
    })
  }
}
