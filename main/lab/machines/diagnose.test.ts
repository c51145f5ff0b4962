import { describe, expect, test } from 'vitest'
import { diagnoseExit, diagnoseQemuFailure, type Evidence } from './diagnose.ts'

const evidence = (extra: Partial<Evidence>): Evidence => ({
  exit: { cause: 'unknown' },
  machine: 'node-1',
  memoryMiB: 256,
  consoleTail: '',
  qemuWords: 'QEMU ended without a word',
  ...extra,
})

describe('diagnosis', () => {
  test.each<[string, Partial<Evidence>, string, boolean, RegExp]>([
    [
      'a kernel panic',
      {
        exit: { cause: 'guest-reset', code: 0 },
        consoleTail: '[ 3.1] Kernel panic - not syncing: Fatal exception in interrupt ]---\r\n',
      },
      'KernelPanic',
      true,
      /panicked: Fatal exception in interrupt;.*orrery console node-1/,
    ],
    [
      'too little memory (panic)',
      { exit: { cause: 'guest-reset' }, consoleTail: 'Kernel panic - not syncing: System is deadlocked on memory' },
      'MemoryTooSmall',
      true,
      /256 MiB; give it more.*kubectl patch machine node-1.*"memoryMiB":512/,
    ],
    [
      'too little memory (initramfs)',
      {
        exit: { cause: 'guest-reset' },
        consoleTail: 'Initramfs unpacking failed: write error\r\nKernel panic - not syncing: VFS',
      },
      'MemoryTooSmall',
      true,
      /256 MiB/,
    ],
    ['power-off from inside', { exit: { cause: 'guest-shutdown', code: 0 } }, 'PoweredOff', false, /from inside/],
    ['reboot from inside', { exit: { cause: 'guest-reset', code: 0 } }, 'Rebooted', false, /from inside/],
    ['SIGKILL', { exit: { cause: 'unknown', signal: 'SIGKILL' } }, 'Killed', true, /ran out of memory/],
    [
      'a crash of QEMU',
      { exit: { cause: 'unknown', signal: 'SIGSEGV' }, qemuWords: 'tcg fatal' },
      'QemuCrashed',
      true,
      /SIGSEGV: tcg fatal/,
    ],
    ['an adopted VM that vanished', { exit: { cause: 'unknown' } }, 'QemuExited', true, /without being asked/],
    [
      'a disk that filled up',
      { exit: { cause: 'unknown', code: 1 }, qemuWords: 'qemu: write failed: No space left on device' },
      'DiskFull',
      true,
      /free some/,
    ],
  ])('%s', (_, given, reason, crash, message) => {
    expect(diagnoseExit(evidence(given))).toEqual({ reason, crash, message: expect.stringMatching(message) as string })
  })

  test.each([
    [
      "qemu-system-x86_64: -netdev user,…: Could not set up host forwarding rule 'tcp:127.0.0.1:21001-:10250'",
      'PortInUse',
    ],
    ['qemu-system-x86_64: -device virtio-blk-pci: Failed to get "write" lock', 'DiskInUse'],
    ["cannot set up guest memory 'pc.ram': Cannot allocate memory", 'HostMemory'],
  ])('%s', (words, reason) => {
    expect(diagnoseQemuFailure(words)?.reason).toBe(reason)
  })

  test('other words are nobody’s', () => {
    expect(diagnoseQemuFailure('something new')).toBeUndefined()
  })
})
