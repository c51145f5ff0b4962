// Which accelerator really works here. A device node proves nothing (nested hosts have a /dev/kvm that aborts or hangs), so the
// real kernel is booted under it once, without a disk: reaching "no root file system" means that a CPU ran the whole kernel start.
// The verdict is remembered per QEMU version, kernel and host boot.
import { spawn } from 'node:child_process'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { GuestArch } from '../../common/channel/guest-config.ts'
import { type Accelerator, cpuModel, machineType } from './command-line.ts'
import { platform as thisPlatform, type Platform } from './platform/index.ts'
import type { QemuBinary } from './qemu-binary.ts'

export interface AcceleratorVerdict {
  readonly accelerator: Accelerator
  /** Why not a faster one, in plain words; absent when the fastest is in use. */
  readonly reason?: string
}

export interface ProbeOptions {
  readonly arch: GuestArch
  readonly hostArch: GuestArch
  readonly qemu: QemuBinary
  readonly kernel: { readonly path: string; /** Content identity of the kernel. */ readonly id: string }
  /** Where verdicts are remembered (JSON). */
  readonly cacheFile: string
  readonly platform?: Platform
  /** Default 8 s; a working accelerator gets there in under two. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

const marker = /Unable to mount root fs|No working init found|Kernel panic - not syncing: VFS/
const defaultTimeoutMs = 8_000

/** Never rejects because of an accelerator: what does not work is a verdict. */
export async function probeAccelerator(options: ProbeOptions): Promise<AcceleratorVerdict> {
  const { arch, hostArch } = options
  const platform = options.platform ?? thisPlatform
  if (arch !== hostArch) {
    return {
      accelerator: 'tcg',
      reason: `this computer's processor is ${archWords[hostArch]}; an ${archWords[arch]} machine can only be emulated here, which is several times slower`,
    }
  }
  const problem = await platform.acceleratorProblem()
  if (problem !== undefined) return { accelerator: 'tcg', reason: problem }
  const key = [
    platform.accelerator,
    arch,
    options.qemu.version.join('.'),
    options.kernel.id,
    await platform.hostBootId(),
  ].join(' ')
  const known = (await readVerdicts(options.cacheFile))[key]
  if (known !== undefined) return known
  const verdict = await bootUnder(platform.accelerator, options)
  if (options.signal?.aborted !== true) await remember(options.cacheFile, key, verdict)
  return verdict
}

const archWords: Record<GuestArch, string> = { amd64: 'x86-64', arm64: 'ARM' }

async function bootUnder(accelerator: Exclude<Accelerator, 'tcg'>, options: ProbeOptions): Promise<AcceleratorVerdict> {
  const name = accelerator.toUpperCase()
  const outcome = await tryBoot(accelerator, options)
  switch (outcome.type) {
    case 'works':
      return { accelerator }
    case 'hangs':
      return {
        accelerator: 'tcg',
        reason: `${name} is there but a kernel started under it hangs (tried for ${String(outcome.afterMs / 1000)} s), as on hosts that are virtual machines themselves; machines are emulated instead`,
      }
    case 'fails':
      return {
        accelerator: 'tcg',
        reason: `${name} is there but does not work (${outcome.words}); machines are emulated instead`,
      }
  }
}

type BootOutcome = { type: 'works' } | { type: 'hangs'; afterMs: number } | { type: 'fails'; words: string }

function tryBoot(accelerator: Exclude<Accelerator, 'tcg'>, options: ProbeOptions): Promise<BootOutcome> {
  const { arch, qemu } = options
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs
  const args = [
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-m', '256M', '-smp', '2'],
    ...[
      '-machine',
      machineType(arch, qemu.version),
      '-accel',
      accelerator,
      '-cpu',
      cpuModel(arch, accelerator, qemu.version),
    ],
    ...['-kernel', options.kernel.path, '-append', `console=${arch === 'amd64' ? 'ttyS0' : 'ttyAMA0'} panic=-1`],
    ...['-serial', 'stdio'],
  ]
  return new Promise((resolve) => {
    const child = spawn(qemu.binary, args, { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true })
    let serial = ''
    let words = ''
    const settle = (outcome: BootOutcome): void => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', abort)
      child.removeAllListeners()
      child.on('error', () => undefined)
      // SIGKILL: a process stuck in the accelerator does not listen to anything gentler.
      child.kill('SIGKILL')
      resolve(outcome)
    }
    const abort = (): void => {
      settle({ type: 'fails', words: 'the test was cancelled' })
    }
    const timer = setTimeout(() => {
      settle({ type: 'hangs', afterMs: timeoutMs })
    }, timeoutMs)
    options.signal?.addEventListener('abort', abort, { once: true })
    child.stdout.on('data', (chunk: Buffer) => {
      serial = (serial + chunk.toString('latin1')).slice(-64 * 1024)
      if (marker.test(serial)) settle({ type: 'works' })
    })
    child.stderr.on('data', (chunk: Buffer) => {
      words = (words + chunk.toString('utf8')).slice(-2_000)
    })
    child.once('error', (error) => {
      settle({ type: 'fails', words: error.message })
    })
    child.once('close', (code, signal) => {
      settle({
        type: 'fails',
        words: firstLine(words) ?? `QEMU ended with ${signal ?? `code ${String(code)}`} before the kernel was up`,
      })
    })
  })
}

const firstLine = (text: string): string | undefined =>
  text
    .split('\n')
    .map((line) => line.replace(/^\S*qemu-system-\S+: (?:error: )?/, '').trim())
    .find((line) => line !== '')

async function readVerdicts(path: string): Promise<Record<string, AcceleratorVerdict>> {
  try {
    const parsed: unknown = JSON.parse(await readFile(path, 'utf8'))
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, AcceleratorVerdict>) : {}
  } catch {
    // Missing or damaged: the verdict is found again by a probe.
    return {}
  }
}

async function remember(path: string, key: string, verdict: AcceleratorVerdict): Promise<void> {
  const verdicts = await readVerdicts(path)
  // Verdicts of earlier host boots are of no use any more.
  const bootId = key.split(' ').slice(4).join(' ')
  const current = Object.fromEntries(Object.entries(verdicts).filter(([other]) => other.endsWith(bootId)))
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.new`, `${JSON.stringify({ ...current, [key]: verdict }, undefined, 2)}\n`)
  await rename(`${path}.new`, path)
}
