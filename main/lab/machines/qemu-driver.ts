// The real driver: QEMU processes on this computer.
import { readdir } from 'node:fs/promises'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import type { HomePaths } from '../../engine/paths.ts'
import type { LanSwitch } from '../../network/switch.ts'
import type { SerialConsole } from '../../vm/console.ts'
import type { AgentChannel, GuestSupplies } from './deps.ts'
import type { MachineDriver } from './driver.ts'
import type { HostPreparation } from './host-facts.ts'
import { QemuMachine } from './qemu-machine.ts'

export interface QemuDriverOptions {
  readonly paths: HomePaths
  readonly host: HostPreparation
  readonly supplies: GuestSupplies
  readonly lan: LanSwitch
  readonly channel: AgentChannel
  readonly clock: Clock
  readonly logger: Logger
}

export interface QemuDriver extends MachineDriver {
  /** The open serial console of a running machine. */
  console(name: string): SerialConsole | undefined
  consoleLog(name: string): string
}

export function createQemuDriver(options: QemuDriverOptions): QemuDriver {
  const { channel, lan, paths } = options
  const machines = new Map<string, QemuMachine>()
  const listeners = new Set<(name: string) => void>()
  const changed = (name: string): void => {
    for (const listener of listeners) listener(name)
  }
  const of = (name: string): QemuMachine => {
    let machine = machines.get(name)
    if (machine === undefined) {
      machine = new QemuMachine({
        ...options,
        name,
        home: paths.home,
        paths: paths.machine(name),
        portsInUse: () =>
          new Set(
            [...machines].flatMap(([other, { hostPort }]) =>
              other === name || hostPort === undefined ? [] : [hostPort],
            ),
          ),
        onChange: () => {
          changed(name)
        },
      })
      machines.set(name, machine)
    }
    return machine
  }
  const unsubscribe = channel.subscribe({
    onConnected: (name, status) => machines.get(name)?.agentConnected(status),
    onDisconnected: (name, reason) => machines.get(name)?.agentDisconnected(reason),
  })

  return {
    async adopt(name) {
      await lan.portOf(name)
      await of(name).adopt()
    },
    observe: (name) => machines.get(name)?.observe() ?? { state: 'unknown' },
    boot(request) {
      of(request.name).boot(request)
    },
    powerOff(name, graceMs) {
      machines.get(name)?.powerOff(graceMs)
    },
    async leftovers() {
      const entries = await readdir(paths.machines, { withFileTypes: true }).catch(() => [])
      return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
    },
    async remove(name) {
      await of(name).remove()
      machines.delete(name)
    },
    usage: async (name) => machines.get(name)?.usage(),
    accelerators: () => [...options.host.verdicts()].map(([arch, verdict]) => ({ arch, ...verdict })),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async release() {
      unsubscribe()
      options.host.stop()
      await Promise.all([...machines.values()].map((machine) => machine.release()))
    },
    console: (name) => machines.get(name)?.console,
    consoleLog: (name) => paths.machine(name).consoleLog,
  }
}
