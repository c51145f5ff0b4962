// The lab a person gets who asked for nothing special: two machines, one of this computer's architecture and one of the other.
import { type Lab, labApiVersion, type Machine } from '../../../common/api/lab/v1alpha1.ts'
import type { GuestArch } from '../../../common/channel/guest-config.ts'

export interface DefaultLabOptions {
  readonly hostArch: GuestArch
  /** Default: one per architecture. */
  readonly machines?: number
  /** Given to the machines in turn; default: this computer's first, then the other. */
  readonly archs?: readonly GuestArch[]
  readonly memoryMiB?: number
  readonly cpus?: number
}

export function defaultLab(options: DefaultLabOptions): (Lab | Machine)[] {
  const archs = options.archs ?? [options.hostArch, options.hostArch === 'amd64' ? 'arm64' : 'amd64']
  const count = options.machines ?? archs.length
  const lab: Lab = {
    apiVersion: labApiVersion,
    kind: 'Lab',
    metadata: { name: 'default' },
    spec: { powerState: 'Running' },
  }
  const machines = Array.from({ length: count }, (_, index): Machine => ({
    apiVersion: labApiVersion,
    kind: 'Machine',
    metadata: { name: `node-${String(index + 1)}` },
    spec: {
      arch: archs[index % archs.length] ?? options.hostArch,
      ...(options.memoryMiB === undefined ? {} : { memoryMiB: options.memoryMiB }),
      ...(options.cpus === undefined ? {} : { cpus: options.cpus }),
    },
  }))
  return [lab, ...machines]
}
