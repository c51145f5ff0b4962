// Linux: everything from /proc, without starting a process.
import { access, constants, readFile } from 'node:fs/promises'
import { armHostTscKhz, type Platform } from './platform.ts'

/** USER_HZ: the unit of times in /proc/PID/stat, 100 on every architecture Node runs on. */
const ticksPerSecond = 100
/** Pages of /proc/PID/statm; 4 KiB on x86-64 and on Debian's arm64 kernel. */
const pageBytes = 4096

/** Fields of /proc/PID/stat after the command name (which may itself contain spaces and parentheses); index 0 is field 3, the state. */
async function statFields(pid: number): Promise<string[] | undefined> {
  const text = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => undefined)
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')
}

export const linux: Platform = {
  accelerator: 'kvm',
  async processStartTime(pid) {
    const fields = await statFields(pid)
    // A zombie is a dead process whose parent has not looked yet.
    if (fields === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined
    return fields[19]
  },
  async processUsage(pid) {
    const [fields, statm] = await Promise.all([
      statFields(pid),
      readFile(`/proc/${String(pid)}/statm`, 'utf8').catch(() => undefined),
    ])
    if (fields === undefined || statm === undefined) return undefined
    const ticks = Number(fields[11]) + Number(fields[12])
    return { rssBytes: Number(statm.split(' ')[1]) * pageBytes, cpuMs: (ticks * 1000) / ticksPerSecond }
  },
  async hostBootId() {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  },
  async acceleratorProblem() {
    try {
      await access('/dev/kvm', constants.R_OK | constants.W_OK)
      return undefined
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? 'this computer offers no /dev/kvm: virtualization is off in the firmware, the kvm module is not loaded, or this is itself a virtual machine without nested virtualization'
        : '/dev/kvm may not be opened by this user: add it to the group that owns it (sudo usermod -aG kvm $USER) and sign in again'
    }
  },
  async emulatedTscKhz() {
    // QEMU passes the host's counter on. In a virtual machine "cpu MHz" is that counter's rate; on real hardware it is the core's
    // momentary one, and there KVM spares us the question.
    if (process.arch === 'arm64') return armHostTscKhz
    const cpu = await readFile('/proc/cpuinfo', 'utf8').catch(() => '')
    const flags = /^flags\s*:(.*)$/m.exec(cpu)?.[1]?.split(' ') ?? []
    const megahertz = Number(/^cpu MHz\s*:\s*([\d.]+)$/m.exec(cpu)?.[1])
    const isKnown = flags.includes('hypervisor') && flags.includes('constant_tsc') && megahertz > 0
    return isKnown ? Math.round(megahertz * 1000) : undefined
  },
  qemuFolders: ['/usr/bin', '/usr/local/bin', '/usr/libexec'],
  installHint: 'install QEMU: sudo apt-get install qemu-system-x86 qemu-system-arm qemu-utils',
}
