// When the host's disk is full QEMU stops the VM rather than let the guest see write errors. This notices it, says so, and lets the
// VM go on once there is space again.
import { statfs } from 'node:fs/promises'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import type { RunningVm } from '../../vm/process.ts'

const checkEveryMs = 5_000
/** Going on with less would stop the VM again at once. */
const neededBytes = 256 * 1024 * 1024

export interface DiskSpaceGuardOptions {
  readonly vm: RunningVm
  /** The folder that holds the machine's disk. */
  readonly folder: string
  readonly clock: Clock
  readonly logger: Logger
  readonly onChange: () => void
}

export class DiskSpaceGuard {
  readonly #options: DiskSpaceGuardOptions
  #paused: { reason: string; message: string } | undefined
  #cancel: () => void = () => undefined
  #unsubscribe: () => void = () => undefined

  constructor(options: DiskSpaceGuardOptions) {
    this.#options = options
  }

  get paused(): { reason: string; message: string } | undefined {
    return this.#paused
  }

  start(): void {
    const { vm } = this.#options
    this.#unsubscribe = vm.onEvent(({ event, data }) => {
      if (event === 'BLOCK_IO_ERROR' && data?.['action'] === 'stop')
        this.#pause(data['nospace'] === true, data['reason'])
      if (event === 'RESUME') this.#resumed()
    })
    // An adopted VM may have been stopped while nobody listened.
    void vm.qmp.execute<{ status: string }>('query-status').then(
      ({ status }) => {
        if (status === 'io-error') this.#pause(true, undefined)
      },
      () => undefined,
    )
  }

  stop(): void {
    this.#cancel()
    this.#unsubscribe()
  }

  #pause(isFull: boolean, why: unknown): void {
    if (this.#paused !== undefined) return
    this.#paused = isFull
      ? {
          reason: 'DiskFull',
          message:
            'the host has no space left for the machine’s disk, so the machine stands still; free some space and it goes on by itself',
        }
      : {
          reason: 'DiskError',
          message: `the host could not read or write the machine’s disk (${String(why)}), so the machine stands still; it is tried again`,
        }
    this.#options.logger.warn('machine paused by a disk error', { reason: this.#paused.reason })
    this.#options.onChange()
    this.#checkLater()
  }

  #resumed(): void {
    this.#cancel()
    if (this.#paused === undefined) return
    this.#paused = undefined
    this.#options.onChange()
  }

  #checkLater(): void {
    this.#cancel = this.#options.clock.after(checkEveryMs, () => {
      void this.#tryToGoOn()
    })
  }

  async #tryToGoOn(): Promise<void> {
    try {
      const { bavail, bsize } = await statfs(this.#options.folder)
      if (bavail * bsize >= neededBytes) await this.#options.vm.qmp.execute('cont')
    } catch (error) {
      this.#options.logger.debug('paused machine cannot go on yet', { error: (error as Error).message })
    }
    if (this.#paused !== undefined) this.#checkLater()
  }
}
