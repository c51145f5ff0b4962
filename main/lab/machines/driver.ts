// What the machine controller needs of whatever runs VMs. Implementations: qemu-driver.ts (real), fake-driver.ts (in memory, for
// control planes without VMs); both pass driver-contract.ts. All methods are idempotent; what happened is read by `observe`,
// and `subscribe` says when to look again.
import type { GuestArch } from '../../../common/channel/guest-config.ts'
import type { BootPhase } from '../../../common/channel/agent-api.ts'
import type { AcceleratorStatus } from '../../../common/api/lab/v1alpha1.ts'
import type { Accelerator } from '../../vm/command-line.ts'
import type { MachineIdentity } from './addresses.ts'

export interface BootRequest {
  readonly name: string
  readonly uid: string
  /** metadata.generation this boot is for; comes back in reports. */
  readonly generation: number
  readonly arch: GuestArch
  readonly cpus: number
  readonly memoryMiB: number
  readonly diskGiB: number
  readonly identity: MachineIdentity
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly { key: string; value?: string; effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute' }[]
}

export interface BootReport {
  readonly generation: number
  readonly pid: number
  readonly startedAtMs: number
  readonly accelerator: Accelerator
  readonly cpus: number
  readonly memoryMiB: number
  /** Milliseconds from power-on to each phase reached so far. */
  readonly phases: Readonly<Partial<Record<BootPhase, number>>>
  readonly agentConnected: boolean
  /** The guest kernel's boot id, once its agent told. */
  readonly bootId?: string
  /** Why the agent is not connected any more, once it was. */
  readonly agentProblem?: string
  /** The VM stands still until something on the host is mended ("the host's disk is full"). */
  readonly paused?: { readonly reason: string; readonly message: string }
}

export interface ExitReport {
  readonly atMs: number
  readonly generation: number
  /** False when we powered it off. */
  readonly unasked: boolean
  /** True for what a healthy machine does not do; a reboot or power-off from inside is none. */
  readonly crash: boolean
  /** CamelCase, and a sentence with the remedy. */
  readonly reason: string
  readonly message: string
}

export interface BootFailure {
  readonly atMs: number
  readonly generation: number
  readonly reason: string
  readonly message: string
  readonly retryable: boolean
}

export type VmObservation =
  /** Not looked at yet: `adopt` has not finished. */
  | { readonly state: 'unknown' }
  | {
      readonly state: 'absent'
      readonly exit?: ExitReport
      readonly failure?: BootFailure
      /** Deaths and failed boots since the machine last ran well for a minute. */
      readonly failuresInRow: number
    }
  | { readonly state: 'preparing'; readonly step: string; readonly generation: number; readonly sinceMs: number }
  | { readonly state: 'running'; readonly boot: BootReport }
  | { readonly state: 'stopping'; readonly boot?: BootReport; readonly sinceMs: number }

export interface VmUsage {
  readonly rssBytes: number
  /** Thousandths of a CPU, averaged since the last question (at least a second ago). */
  readonly cpuMillis: number
}

export interface MachineDriver {
  /** Looks for a VM left by an earlier engine and takes it over. After it `observe` is never "unknown". */
  adopt(name: string): Promise<void>
  observe(name: string): VmObservation
  /** Starts preparing and booting in the background; does nothing unless absent. */
  boot(request: BootRequest): void
  /** Asks the guest to power off and ends it when it does not within `graceMs`; cancels a preparation. */
  powerOff(name: string, graceMs: number): void
  /** Machines that left something on this computer, whether or not an object of that name exists. */
  leftovers(): Promise<readonly string[]>
  /** Deletes disk, logs and everything else of an absent machine. */
  remove(name: string): Promise<void>
  usage(name: string): Promise<VmUsage | undefined>
  /** Which accelerator each architecture gets here and why, as far as known. */
  accelerators(): readonly AcceleratorStatus[]
  subscribe(listener: (name: string) => void): () => void
  /** Lets go of all VMs and leaves them running. */
  release(): Promise<void>
}
