import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Diagnostic } from './diagnostic.ts'

const run = promisify(execFile)
const installHint =
  'Debian: apt-get install qemu-system-x86 qemu-system-arm qemu-utils. macOS: brew install qemu. Windows: the installer from qemu.org, then put it on PATH.'

const qemu = (arch: string, program: string): Diagnostic => ({
  name: `QEMU for ${arch}`,
  async check() {
    try {
      const { stdout } = await run(program, ['--version'], { timeout: 10_000 })
      const version = /version (\d+)\.(\d+)(?:\.\d+)?/.exec(stdout)
      if (!version) return { verdict: 'bad', found: `${program} gave no version`, remedy: installHint }
      if (Number(version[1]) < 7 || (Number(version[1]) === 7 && Number(version[2]) < 2))
        return {
          verdict: 'bad',
          found: `${program} ${version[0]} is too old`,
          remedy: 'Orrery needs QEMU 7.2 or later.',
        }
      return { verdict: 'good', found: `${program} ${version[0]}` }
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
      return {
        verdict: 'bad',
        found: missing
          ? `${program} is not installed`
          : `${program} does not run: ${error instanceof Error ? error.message : String(error)}`,
        remedy: installHint,
      }
    }
  },
})

export const qemuAmd64 = qemu('amd64', 'qemu-system-x86_64')
export const qemuArm64 = qemu('arm64', 'qemu-system-aarch64')
export const qemuImg: Diagnostic = { ...qemu('disks', 'qemu-img'), name: 'QEMU disk tool' }
