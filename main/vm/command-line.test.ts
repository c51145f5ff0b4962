import { describe, expect, test } from 'vitest'
import { commandLine, type HostFacts, kernelArguments, machineType, type VmSpec } from './command-line.ts'

const spec: VmSpec = {
  name: 'node-1',
  arch: 'amd64',
  cpus: 1,
  memoryMiB: 512,
  kernel: '/images/a/vmlinux',
  initrd: '/images/a/initrd.cpio',
  root: '/images/a/root.erofs',
  disk: '/home/m/disk.qcow2',
  configDisk: '/home/m/config.tar',
  macs: { control: '52:54:00:43:00:01', lan: '52:54:00:4c:00:01' },
  agentForward: { hostPort: 21_001, guestPort: 10_250 },
  qmp: { type: 'unix', path: '/run/o/node-1.qmp' },
  console: { type: 'unix', path: '/run/o/node-1.con' },
  consoleLog: '/home/m/console.log',
  pidFile: '/home/m/qemu.pid',
}
const qemu7: HostFacts = { qemu: { binary: 'qemu-system-x86_64', version: [7, 2, 22] }, accelerator: 'tcg' }
const qemu10: HostFacts = { qemu: { binary: 'qemu-system-x86_64', version: [10, 0, 13] }, accelerator: 'tcg' }

/** "-flag value" per line; what a person compares. */
function lines(args: readonly string[]): string {
  return args.reduce((text, arg) => (arg.startsWith('-') ? `${text}\n${arg}` : `${text} ${arg}`), '').trim()
}

describe('command line', () => {
  test('amd64 emulated by QEMU 7.2', async () => {
    await expect(lines(commandLine(spec, qemu7))).toMatchFileSnapshot('testdata/amd64-tcg-qemu-7.2.txt')
  })
  test('amd64 emulated by QEMU 10', async () => {
    await expect(lines(commandLine(spec, qemu10))).toMatchFileSnapshot('testdata/amd64-tcg-qemu-10.0.txt')
  })
  test('amd64 under KVM', async () => {
    await expect(lines(commandLine({ ...spec, cpus: 4 }, { ...qemu7, accelerator: 'kvm' }))).toMatchFileSnapshot(
      'testdata/amd64-kvm-qemu-7.2.txt',
    )
  })
  test('arm64 emulated by QEMU 7.2', async () => {
    await expect(lines(commandLine({ ...spec, arch: 'arm64' }, qemu7))).toMatchFileSnapshot(
      'testdata/arm64-tcg-qemu-7.2.txt',
    )
  })
  test('arm64 under HVF with TCP endpoints', async () => {
    const tcp: VmSpec = {
      ...spec,
      arch: 'arm64',
      qmp: { type: 'tcp', host: '127.0.0.1', port: 4001 },
      console: { type: 'tcp', host: '127.0.0.1', port: 4002 },
    }
    await expect(lines(commandLine(tcp, { ...qemu10, accelerator: 'hvf' }))).toMatchFileSnapshot(
      'testdata/arm64-hvf-qemu-10.0.txt',
    )
  })

  test('commas in paths do not end an option', () => {
    const args = commandLine({ ...spec, consoleLog: '/a,b/console.log', disk: '/a,b/disk.qcow2' }, qemu7)
    expect(args).toContain(
      'socket,id=console,path=/run/o/node-1.con,server=on,wait=off,logfile=/a,,b/console.log,logappend=on',
    )
    expect(args.some((arg) => arg.includes('"filename":"/a,b/disk.qcow2"'))).toBe(true)
  })

  test('only one port is forwarded, and the guest reaches nothing else', () => {
    const netdevs = commandLine(spec, qemu7).filter((_, index, all) => all[index - 1] === '-netdev')
    expect(netdevs).toEqual([
      'user,id=control,restrict=on,ipv6=off,hostfwd=tcp:127.0.0.1:21001-:10250',
      'hubport,id=lan,hubid=0',
    ])
  })

  test('the machine type is that of the QEMU found', () => {
    expect(machineType('amd64', [8, 1, 0])).toBe('pc-i440fx-8.1')
    expect(machineType('arm64', [10, 0, 2])).toBe('virt-10.0')
  })

  test('an emulated x86 guest is told the rate of its time stamp counter, others are not', () => {
    expect(kernelArguments('amd64', { accelerator: 'tcg', emulatedTscKhz: 2_596_148 })).toContain(
      ' tsc_early_khz=2596148 ',
    )
    expect(kernelArguments('amd64', { accelerator: 'kvm', emulatedTscKhz: 2_596_148 })).not.toContain('tsc')
    expect(kernelArguments('arm64', { accelerator: 'tcg', emulatedTscKhz: 2_596_148 })).not.toContain('tsc')
  })

  test('secrets never stand on the kernel command line', () => {
    expect(kernelArguments('arm64', { accelerator: 'tcg' }, ['extra=1'])).toBe(
      'console=ttyAMA0 quiet loglevel=3 mitigations=off panic=1 extra=1',
    )
  })
})
