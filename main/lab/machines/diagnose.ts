// Why a VM died, in plain words with the remedy. Pure: reads what QEMU and the guest's console said last.
import type { VmExit } from '../../vm/process.ts'
import { VmError } from '../../vm/vm-error.ts'
import type { BootFailure } from './driver.ts'

export interface Diagnosis {
  readonly reason: string
  readonly message: string
  readonly crash: boolean
}

export interface Evidence {
  readonly exit: VmExit
  readonly machine: string
  readonly memoryMiB: number
  /** End of this boot's console output. */
  readonly consoleTail: string
  /** QEMU's last words. */
  readonly qemuWords: string
}

const memoryRemedy = (machine: string, memoryMiB: number): string =>
  `give it more, for example: kubectl patch machine ${machine} --type=merge -p '{"spec":{"memoryMiB":${String(Math.max(512, memoryMiB * 2))}}}'`

export function diagnoseExit(evidence: Evidence): Diagnosis {
  const { exit, machine, memoryMiB, consoleTail } = evidence
  const panic = /Kernel panic - not syncing: ([^\r\n]*)/.exec(consoleTail)?.[1]?.replace(/ \]---$/, '')
  if (
    /System is deadlocked on memory|Out of memory and no killable|Initramfs unpacking failed: (?:write error|no space)/.test(
      consoleTail,
    )
  ) {
    return {
      crash: true,
      reason: 'MemoryTooSmall',
      message: `the guest ran out of memory while it started with ${String(memoryMiB)} MiB; ${memoryRemedy(machine, memoryMiB)}`,
    }
  }
  if (panic !== undefined) {
    return {
      crash: true,
      reason: 'KernelPanic',
      message: `the guest's kernel panicked: ${panic}; the console shows what led to it (orrery console ${machine})`,
    }
  }
  if (exit.cause === 'guest-shutdown')
    return { crash: false, reason: 'PoweredOff', message: 'the machine was powered off from inside' }
  if (exit.cause === 'guest-reset')
    return { crash: false, reason: 'Rebooted', message: 'the machine was rebooted from inside' }
  if (exit.signal === 'SIGKILL') {
    return {
      crash: true,
      reason: 'Killed',
      message:
        "QEMU was killed from outside (SIGKILL): by a person, or by the host's kernel because the host ran out of memory",
    }
  }
  if (exit.signal !== undefined) {
    return { crash: true, reason: 'QemuCrashed', message: `QEMU ended with ${exit.signal}: ${evidence.qemuWords}` }
  }
  return (
    diagnoseQemuFailure(evidence.qemuWords) ?? {
      crash: true,
      reason: 'QemuExited',
      message: `QEMU ended without being asked: ${evidence.qemuWords}`,
    }
  )
}

/** QEMU's words when it did not start or gave up; undefined when they are none we know. */
export function diagnoseQemuFailure(words: string): Diagnosis | undefined {
  const port = /Could not set up host forwarding rule '[^']*:(\d+)-/.exec(words)?.[1]
  if (port !== undefined) {
    return {
      crash: true,
      reason: 'PortInUse',
      message: `the loopback port ${port} was taken by another program; another port is chosen at the next try`,
    }
  }
  if (/No space left on device|Disk quota exceeded/i.test(words)) {
    return {
      crash: true,
      reason: 'DiskFull',
      message: 'the host has no space left for the machine’s disk: free some and the machine starts by itself',
    }
  }
  if (/Failed to get "(?:write|consistent read)" lock/.test(words)) {
    return {
      crash: true,
      reason: 'DiskInUse',
      message:
        'another QEMU process holds the machine’s disk: end it (see orrery doctor), the machine starts by itself then',
    }
  }
  if (/Cannot allocate memory|cannot set up guest memory/i.test(words)) {
    return {
      crash: true,
      reason: 'HostMemory',
      message: 'the host could not give the machine its memory: close something or give the machine less',
    }
  }
  return undefined
}

/** Why a machine could not be started at all. */
export function diagnoseBootFailure(error: unknown): Pick<BootFailure, 'reason' | 'message' | 'retryable'> {
  const message = error instanceof Error ? error.message : String(error)
  const known = diagnoseQemuFailure(message)
  if (known !== undefined) return { reason: known.reason, message: known.message, retryable: true }
  if (error instanceof VmError)
    return { reason: error.code, message: `${message}; ${error.hint}`, retryable: error.retryable }
  const hint = (error as { hint?: unknown } | undefined)?.hint
  return {
    reason: 'PreparationFailed',
    message: typeof hint === 'string' ? `${message}; ${hint}` : message,
    retryable: true,
  }
}
