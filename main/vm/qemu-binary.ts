// Finds QEMU's programs on this computer and asks them their version.
import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import type { GuestArch } from '../../common/channel/guest-config.ts'
import type { QemuVersion } from './command-line.ts'
import { platform } from './platform/index.ts'
import { VmError } from './vm-error.ts'

const run = promisify(execFile)

export interface QemuBinary {
  readonly binary: string
  readonly version: QemuVersion
}

/** stream netdevs came with 7.2. */
const oldestVersion = [7, 2] as const

const systemProgram: Record<GuestArch, string> = { amd64: 'qemu-system-x86_64', arm64: 'qemu-system-aarch64' }

/** Rejects with VmError QemuMissing (its hint says how to install) or QemuTooOld. */
export async function findQemu(arch: GuestArch, env: NodeJS.ProcessEnv = process.env): Promise<QemuBinary> {
  const binary = await requireProgram(systemProgram[arch], env)
  const { stdout } = await run(binary, ['--version'], { timeout: 20_000, windowsHide: true })
  const version = parseQemuVersion(stdout)
  if (version === undefined) {
    throw new VmError('QemuFailed', `${binary} --version printed no version: ${stdout.trim()}`, {
      hint: platform.installHint,
      retryable: false,
    })
  }
  const [major, minor] = version
  if (major < oldestVersion[0] || (major === oldestVersion[0] && minor < oldestVersion[1])) {
    throw new VmError(
      'QemuTooOld',
      `${binary} is version ${version.join('.')}; Orrery needs ${oldestVersion.join('.')} or newer`,
      {
        hint: platform.installHint,
        retryable: false,
      },
    )
  }
  return { binary, version }
}

export const findQemuImg = (env: NodeJS.ProcessEnv = process.env): Promise<string> => requireProgram('qemu-img', env)

export function parseQemuVersion(text: string): QemuVersion | undefined {
  const match = /version (\d+)\.(\d+)\.(\d+)/.exec(text)
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3])]
}

async function requireProgram(name: string, env: NodeJS.ProcessEnv): Promise<string> {
  const folders = [...(env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ''), ...platform.qemuFolders]
  for (const folder of folders) {
    for (const suffix of process.platform === 'win32' ? ['.exe'] : ['']) {
      const candidate = join(folder, name + suffix)
      const found = await access(candidate, constants.X_OK).then(
        () => true,
        () => false,
      )
      if (found) return candidate
    }
  }
  throw new VmError('QemuMissing', `${name} was not found on this computer`, {
    hint: platform.installHint,
    retryable: false,
  })
}
