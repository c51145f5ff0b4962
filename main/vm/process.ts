// QEMU as a process of its own: it outlives the engine. What a later engine needs to take it over again is in state.json; a pid
// alone is never believed, it must have the recorded start time and answer on its monitor.
import { spawn } from 'node:child_process'
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Accelerator, QemuVersion } from './command-line.ts'
import type { Endpoint } from './endpoint.ts'
import { platform } from './platform/index.ts'
import { connectQmp, type QmpClient, type QmpEvent } from './qmp.ts'
import { VmError } from './vm-error.ts'

/** state.json. */
export interface VmState {
  readonly formatVersion: 1
  readonly machine: string
  readonly machineUid: string
  readonly pid: number
  readonly startTime: string
  readonly binary: string
  readonly qmp: Endpoint
  readonly console: Endpoint
  readonly hostPort: number
  /** Size of the console log when this boot began. */
  readonly consoleOffset: number
  readonly bootedAtMs: number
  readonly qemuVersion: QemuVersion
  readonly accelerator: Accelerator
  readonly cpus: number
  readonly memoryMiB: number
  /** Generation of the Machine object this boot was made for. */
  readonly generation: number
  /** A process of an earlier host boot cannot be running. */
  readonly hostBootId: string
}

export interface VmExit {
  /** guest-shutdown: powered off from inside; guest-reset: rebooted or panicked; host: asked for by us; unknown: the process just died. */
  readonly cause: 'guest-shutdown' | 'guest-reset' | 'host' | 'unknown'
  readonly code?: number
  readonly signal?: string
}

export interface VmFiles {
  readonly state: string
  readonly qemuLog: string
  readonly pidFile: string
}

export interface RunningVm {
  readonly state: VmState
  /** The current monitor connection; replaced when it had to be made again. */
  readonly qmp: QmpClient
  /** Settles once the process is gone, however it ended and whoever started it. */
  readonly exited: Promise<VmExit>
  onEvent(listener: (event: QmpEvent) => void): () => void
  /** Presses the power button; the guest may take its time or ignore it. */
  pressPowerButton(): Promise<void>
  /** Ends QEMU: "quit" on the monitor, then SIGKILL when it does not obey within `graceMs` (default 5 s). Resolves when it is gone. */
  end(options?: { graceMs?: number }): Promise<VmExit>
  /** Lets go of the monitor without touching the VM. */
  release(): void
}

const monitorDeadlineMs = 30_000
const pollMs = 50

export interface LaunchOptions {
  readonly files: VmFiles
  readonly binary: string
  readonly args: readonly string[]
  readonly state: Omit<
    VmState,
    'formatVersion' | 'pid' | 'startTime' | 'binary' | 'bootedAtMs' | 'consoleOffset' | 'hostBootId'
  >
  readonly consoleLog: string
  readonly signal?: AbortSignal
}

/** Starts QEMU and resolves when its monitor answers. Rejects with VmError (QEMU's own words in `message`) when it does not come up. */
export async function launchVm(options: LaunchOptions): Promise<RunningVm> {
  const { files } = options
  await mkdir(dirname(files.state), { recursive: true, mode: 0o700 })
  await rm(files.pidFile, { force: true })
  const consoleOffset = await stat(options.consoleLog).then(
    (stats) => stats.size,
    () => 0,
  )
  const log = await open(files.qemuLog, 'w', 0o600)
  const bootedAtMs = Date.now()
  const child = spawn(options.binary, options.args, {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    windowsHide: true,
  })
  const ownExit = new Promise<{ code?: number; signal?: string; error?: Error }>((resolve) => {
    child.once('error', (error) => {
      resolve({ error })
    })
    child.once('exit', (code, signal) => {
      resolve({ ...(code === null ? {} : { code }), ...(signal === null ? {} : { signal }) })
    })
  })
  child.unref()
  await log.close()
  const { pid } = child
  if (pid === undefined) {
    const { error } = await ownExit
    throw new VmError('QemuFailed', `${options.binary} could not be started: ${error?.message ?? 'no process'}`, {
      hint: platform.installHint,
      cause: error,
    })
  }
  const startTime = await platform.processStartTime(pid)
  const state: VmState = {
    formatVersion: 1,
    ...options.state,
    pid,
    startTime: startTime ?? '',
    binary: options.binary,
    bootedAtMs,
    consoleOffset,
    hostBootId: await platform.hostBootId(),
  }
  const gaveUp = new AbortController()
  try {
    await writeState(files.state, state)
    const qmp = await Promise.race([
      connectWhenUp(
        state,
        options.signal === undefined ? gaveUp.signal : AbortSignal.any([options.signal, gaveUp.signal]),
      ),
      ownExit.then(async () => {
        throw new VmError('QemuFailed', await lastWords(files.qemuLog), { hint: 'see the machine’s qemu.log' })
      }),
    ])
    return new WatchedVm(state, qmp, ownExit)
  } catch (error) {
    gaveUp.abort()
    child.kill('SIGKILL')
    await rm(files.state, { force: true })
    throw error
  }
}

export type Adoption =
  | { readonly found: 'running'; readonly vm: RunningVm }
  /** It was left running and is gone; `hostRestarted`: together with everything else. */
  | { readonly found: 'dead'; readonly state: VmState; readonly hostRestarted: boolean }
  | { readonly found: 'nothing' }

/** Looks for the VM that an earlier engine left running and takes it over. */
export async function adoptVm(files: VmFiles): Promise<Adoption> {
  const state = await readState(files.state)
  if (state === undefined) return { found: 'nothing' }
  const hostRestarted = state.hostBootId !== (await platform.hostBootId())
  if (!hostRestarted && (await isRunning(state))) {
    try {
      return { found: 'running', vm: new WatchedVm(state, await connectQmp(state.qmp)) }
    } catch {
      // The process is ours (same pid, same start time) but its monitor is dead: it cannot be steered, so it must go.
      killProcess(state.pid)
      await waitUntilGone(state)
    }
  }
  await rm(files.state, { force: true })
  return { found: 'dead', state, hostRestarted }
}

/** Ends a VM that was started but never recorded, because the engine was killed in between: its monitor answers all the same. */
export async function endStray(qmp: Endpoint): Promise<boolean> {
  const monitor = await connectQmp(qmp, { timeoutMs: 2_000 }).catch(() => undefined)
  if (monitor === undefined) return false
  await monitor.execute('quit').catch(() => undefined)
  await monitor.closed
  return true
}

/** Called when a VM is known to be gone: nothing is left to adopt. */
export const forgetVm = (files: VmFiles): Promise<void> => rm(files.state, { force: true })

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    // It ended by itself in the meantime.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

export async function readState(path: string): Promise<VmState | undefined> {
  try {
    const state = JSON.parse(await readFile(path, 'utf8')) as VmState
    return state.formatVersion === 1 ? state : undefined
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function writeState(path: string, state: VmState): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 })
  await rename(`${path}.new`, path)
}

async function isRunning(state: VmState): Promise<boolean> {
  const startTime = await platform.processStartTime(state.pid)
  return startTime !== undefined && startTime === state.startTime
}

async function waitUntilGone(state: VmState): Promise<void> {
  while (await isRunning(state)) await delay(pollMs)
}

async function connectWhenUp(state: VmState, signal: AbortSignal): Promise<QmpClient> {
  const deadline = Date.now() + monitorDeadlineMs
  for (;;) {
    try {
      return await connectQmp(state.qmp, { timeoutMs: Math.max(1, deadline - Date.now()), signal })
    } catch (error) {
      if (signal.aborted || Date.now() >= deadline) {
        throw new VmError(
          'QemuFailed',
          `QEMU (pid ${String(state.pid)}) did not open its monitor within ${String(monitorDeadlineMs / 1000)} s`,
          {
            hint: 'the computer may be too busy; it is tried again',
            cause: error,
          },
        )
      }
      await delay(pollMs)
    }
  }
}

/** QEMU's last output without time stamps; what it said about why it gave up. */
export async function lastWords(qemuLog: string): Promise<string> {
  const text = await readFile(qemuLog, 'utf8').catch(() => '')
  const lines = text
    .split('\n')
    .map((line) => line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /, '').trim())
    .filter((line) => line !== '' && !line.includes(': warning: '))
  return lines.slice(-3).join('; ') || 'QEMU ended without a word'
}

class WatchedVm implements RunningVm {
  readonly state: VmState
  readonly exited: Promise<VmExit>
  qmp: QmpClient
  readonly #listeners = new Set<(event: QmpEvent) => void>()
  #cause: VmExit['cause'] = 'unknown'
  #released = false

  constructor(state: VmState, qmp: QmpClient, ownExit?: Promise<{ code?: number; signal?: string }>) {
    this.state = state
    this.qmp = qmp
    this.#listen(qmp)
    this.exited = this.#watch(ownExit)
  }

  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async pressPowerButton(): Promise<void> {
    await this.qmp.execute('system_powerdown')
  }

  async end(options: { graceMs?: number } = {}): Promise<VmExit> {
    if (this.#cause === 'unknown') this.#cause = 'host'
    const graceMs = options.graceMs ?? 5_000
    await this.qmp.execute('quit', undefined, { timeoutMs: graceMs }).catch(() => undefined)
    const abort = new AbortController()
    await Promise.race([this.exited, delay(graceMs, undefined, { signal: abort.signal }).catch(() => undefined)])
    abort.abort()
    if (await isRunning(this.state)) killProcess(this.state.pid)
    return this.exited
  }

  release(): void {
    this.#released = true
    this.qmp.close()
  }

  #listen(qmp: QmpClient): void {
    qmp.onEvent((event) => {
      if (event.event === 'SHUTDOWN') this.#cause = causeOf(event.data?.['reason'], this.#cause)
      for (const listener of this.#listeners) listener(event)
    })
  }

  async #watch(ownExit: Promise<{ code?: number; signal?: string }> | undefined): Promise<VmExit> {
    for (;;) {
      await this.qmp.closed
      // A closed monitor nearly always means that QEMU is on its way out; a broken one is connected again.
      while (await isRunning(this.state)) {
        if (this.#released) return new Promise(() => undefined)
        const again = await connectQmp(this.state.qmp, { timeoutMs: 1_000 }).catch(() => undefined)
        if (again !== undefined) {
          this.qmp = again
          this.#listen(again)
          break
        }
        await delay(pollMs)
      }
      if (await isRunning(this.state)) continue
      const how = ownExit === undefined ? {} : await ownExit
      return { cause: this.#cause, ...how }
    }
  }
}

function causeOf(reason: unknown, before: VmExit['cause']): VmExit['cause'] {
  if (before === 'host') return before
  switch (reason) {
    case 'guest-shutdown':
      return 'guest-shutdown'
    case 'guest-reset':
    case 'guest-panic':
      return 'guest-reset'
    default:
      // host-qmp-quit, host-signal, host-qmp-system-reset, …
      return 'host'
  }
}
