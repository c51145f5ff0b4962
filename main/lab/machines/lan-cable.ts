// Keeps a running VM's NIC 2 plugged into the switch: at boot, after adoption, after the switch was started again.
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import type { LanSwitch } from '../../network/switch.ts'
import { plugLan } from '../../vm/lan-uplink.ts'
import { QmpError } from '../../vm/qmp.ts'
import type { RunningVm } from '../../vm/process.ts'

/** QEMU connects within milliseconds; a cable that is not up after this long is plugged again. */
const checkAfterMs = 1_000
/** A cable goes down a moment before the monitor when QEMU ends: then there is nothing to plug. */
const replugAfterMs = 100
const maxRetryMs = 30_000

export interface LanCableOptions {
  readonly machine: string
  readonly vm: RunningVm
  readonly lan: LanSwitch
  readonly clock: Clock
  readonly logger: Logger
}

export class LanCable {
  readonly #options: LanCableOptions
  #cancel: () => void = () => undefined
  #unsubscribe: () => void = () => undefined
  #plugging: Promise<void> | undefined
  #retryMs = checkAfterMs
  #stopped = false

  constructor(options: LanCableOptions) {
    this.#options = options
  }

  start(): void {
    const { lan, machine } = this.#options
    this.#unsubscribe = lan.onLink((name, state) => {
      // Plugging itself takes the link down and up.
      if (name === machine && state !== 'up' && this.#plugging === undefined) this.#replugLater()
    })
    this.replug()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
    this.#unsubscribe()
  }

  replug(): void {
    if (this.#stopped || this.#plugging !== undefined) return
    this.#cancel()
    this.#plugging = this.#plug().finally(() => {
      this.#plugging = undefined
      if (!this.#stopped) this.#checkLater()
    })
  }

  #replugLater(): void {
    this.#cancel()
    this.#cancel = this.#options.clock.after(replugAfterMs, () => {
      this.replug()
    })
  }

  #checkLater(): void {
    const { clock, lan, machine } = this.#options
    this.#cancel = clock.after(this.#retryMs, () => {
      if (lan.isUp(machine)) {
        this.#retryMs = checkAfterMs
        return
      }
      this.#retryMs = Math.min(this.#retryMs * 2, maxRetryMs)
      this.replug()
    })
  }

  async #plug(): Promise<void> {
    const { lan, logger, machine, vm } = this.#options
    try {
      await plugLan(vm.qmp, await lan.portOf(machine))
    } catch (error) {
      // When QEMU ends its monitor closes first, and stop() follows.
      if (!this.#stopped && !(error instanceof QmpError && error.code === 'Closed'))
        logger.warn('LAN cable could not be plugged', { machine, error: (error as Error).message })
    }
  }
}
