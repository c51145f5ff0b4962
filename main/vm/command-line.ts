// The QEMU command line of a machine, as a pure function: same input, same arguments, held by golden tests.
// NIC 2 is left without an uplink here: it sits on an internal hub and is plugged into the switch over QMP (lan-uplink.ts), so
// that it can be plugged again when the engine came back.
import type { GuestArch } from '../../common/channel/guest-config.ts'
import type { Endpoint } from './endpoint.ts'

export type Accelerator = 'kvm' | 'hvf' | 'whpx' | 'tcg'
export type QemuVersion = readonly [major: number, minor: number, micro: number]

export interface VmSpec {
  readonly name: string
  readonly arch: GuestArch
  readonly cpus: number
  readonly memoryMiB: number
  readonly kernel: string
  readonly initrd: string
  /** Read-only erofs image, shared by all machines of an architecture. */
  readonly root: string
  /** The machine's own qcow2. */
  readonly disk: string
  readonly configDisk: string
  readonly macs: { readonly control: string; readonly lan: string }
  /** hostfwd: 127.0.0.1:hostPort -> guest:guestPort, the only road into the guest. */
  readonly agentForward: { readonly hostPort: number; readonly guestPort: number }
  readonly qmp: Endpoint
  readonly console: Endpoint
  readonly consoleLog: string
  readonly pidFile: string
  readonly extraKernelArguments?: readonly string[]
}

export interface HostFacts {
  readonly qemu: { readonly binary: string; readonly version: QemuVersion }
  readonly accelerator: Accelerator
  /** Rate of the time stamp counter an emulated x86 guest sees, when known (platform.ts says why). */
  readonly emulatedTscKhz?: number
}

/** QEMU's translated-code cache per VM: smaller costs retranslation at boot, larger costs resident memory for good. */
const translationCacheMiB = 128

/** Machine type of this QEMU version; versioned, so that a saved machine finds the same hardware again. */
export function machineType(arch: GuestArch, [major, minor]: QemuVersion): string {
  const family = arch === 'amd64' ? 'pc-i440fx' : 'virt'
  return `${family}-${String(major)}.${String(minor)}`
}

export function cpuModel(arch: GuestArch, accelerator: Accelerator, [major]: QemuVersion): string {
  if (accelerator !== 'tcg') return 'host'
  // "max" spends 2.5 times the CPU on pointer authentication in an emulated arm64.
  if (arch === 'arm64') return 'cortex-a72'
  // QEMU before 8 emulates cmpxchg16b so that Linux 6.12 double-faults right after it, now and then.
  return major < 8 ? 'max,la57=off,cx16=off' : 'max,la57=off'
}

export function kernelArguments(
  arch: GuestArch,
  { accelerator, emulatedTscKhz }: Pick<HostFacts, 'accelerator' | 'emulatedTscKhz'>,
  extra: readonly string[] = [],
): string {
  const isEmulatedX86 = arch === 'amd64' && accelerator === 'tcg'
  return [
    arch === 'amd64' ? 'console=ttyS0' : 'console=ttyAMA0',
    'quiet',
    'loglevel=3',
    // The emulated clock is steady and its calibration loops are slow; on real hardware the kernel decides.
    ...(isEmulatedX86 ? ['tsc=reliable', 'no_timer_check'] : []),
    ...(isEmulatedX86 && emulatedTscKhz !== undefined ? [`tsc_early_khz=${String(emulatedTscKhz)}`] : []),
    // Nothing secret is shared between guest processes and the mitigations cost a lot when emulated.
    'mitigations=off',
    // With -no-reboot a panic ends QEMU one second later, so that it is noticed.
    'panic=1',
    ...extra,
  ].join(' ')
}

/** Arguments without the binary. */
export function commandLine(spec: VmSpec, host: HostFacts): string[] {
  const version = host.qemu.version
  return [
    '-name',
    spec.name,
    '-nodefaults',
    '-no-user-config',
    '-no-reboot',
    '-display',
    'none',
    '-msg',
    'timestamp=on',
    '-pidfile',
    spec.pidFile,
    '-machine',
    machineType(spec.arch, version),
    '-accel',
    host.accelerator === 'tcg' ? `tcg,tb-size=${String(translationCacheMiB)}` : host.accelerator,
    '-cpu',
    cpuModel(spec.arch, host.accelerator, version),
    '-smp',
    String(spec.cpus),
    '-m',
    `${String(spec.memoryMiB)}M`,
    '-kernel',
    spec.kernel,
    '-initrd',
    spec.initrd,
    '-append',
    kernelArguments(spec.arch, host, spec.extraKernelArguments),
    ...disk({ id: 'root', format: 'raw', file: spec.root, readOnly: true }),
    ...disk({ id: 'data', format: 'qcow2', file: spec.disk, readOnly: false }),
    ...disk({ id: 'config', format: 'raw', file: spec.configDisk, readOnly: true }),
    '-netdev',
    `user,id=control,restrict=on,ipv6=off,hostfwd=tcp:127.0.0.1:${String(spec.agentForward.hostPort)}-:${String(spec.agentForward.guestPort)}`,
    '-device',
    `virtio-net-pci,netdev=control,mac=${spec.macs.control},romfile=`,
    '-netdev',
    `hubport,id=lan,hubid=${String(lanHubId)}`,
    '-device',
    `virtio-net-pci,netdev=lan,mac=${spec.macs.lan},romfile=`,
    '-object',
    'rng-builtin,id=entropy',
    '-device',
    'virtio-rng-pci,rng=entropy',
    '-chardev',
    `${chardev('console', spec.console)},logfile=${escapeComma(spec.consoleLog)},logappend=on`,
    '-serial',
    'chardev:console',
    '-chardev',
    chardev('monitor', spec.qmp),
    '-mon',
    'chardev=monitor,mode=control',
  ]
}

/** The hub that joins NIC 2 and its uplink inside QEMU. */
export const lanHubId = 0

function disk(options: { id: string; format: 'raw' | 'qcow2'; file: string; readOnly: boolean }): string[] {
  const node = {
    driver: options.format,
    'node-name': options.id,
    'read-only': options.readOnly,
    ...(options.readOnly ? {} : { discard: 'unmap' }),
    file: { driver: 'file', filename: options.file },
  }
  // The guest finds its disks by serial, whatever order they are probed in. JSON keeps any path intact.
  return [
    '-blockdev',
    JSON.stringify(node),
    '-device',
    `virtio-blk-pci,drive=${options.id},serial=orrery-${options.id}`,
  ]
}

function chardev(id: string, endpoint: Endpoint): string {
  const address =
    endpoint.type === 'unix'
      ? `path=${escapeComma(endpoint.path)}`
      : `host=${endpoint.host},port=${String(endpoint.port)}`
  return `socket,id=${id},${address},server=on,wait=off`
}

/** QEMU's option parser reads ",," as a comma. */
const escapeComma = (value: string): string => value.replaceAll(',', ',,')
