// macOS: process facts from ps, the boot time from sysctl, HVF from its sysctl flag.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { armHostTscKhz, type Platform } from './platform.ts'

const run = promisify(execFile)

async function ps(pid: number, columns: string): Promise<string | undefined> {
  try {
    const { stdout } = await run('/bin/ps', ['-p', String(pid), '-o', columns], {
      env: { LC_ALL: 'C' },
      timeout: 5_000,
    })
    return stdout.trim() === '' ? undefined : stdout.trim()
  } catch {
    return undefined
  }
}

/** "[[dd-]hh:]mm:ss.cc" as ps prints CPU time. */
export function parsePsTime(text: string): number {
  const [days, rest] = text.includes('-') ? (text.split('-', 2) as [string, string]) : ['0', text]
  const seconds = rest.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
  return Math.round((Number(days) * 86_400 + seconds) * 1000)
}

export const darwin: Platform = {
  accelerator: 'hvf',
  processStartTime: (pid) => ps(pid, 'lstart='),
  async processUsage(pid) {
    const line = await ps(pid, 'rss=,time=')
    if (line === undefined) return undefined
    const [rss = '0', time = '0'] = line.split(/\s+/)
    return { rssBytes: Number(rss) * 1024, cpuMs: parsePsTime(time) }
  },
  async hostBootId() {
    return (await run('/usr/sbin/sysctl', ['-n', 'kern.boottime'], { timeout: 5_000 })).stdout.trim()
  },
  async acceleratorProblem() {
    const { stdout } = await run('/usr/sbin/sysctl', ['-n', 'kern.hv_support'], { timeout: 5_000 }).catch(() => ({
      stdout: '0',
    }))
    return stdout.trim() === '1' ? undefined : 'this Mac does not offer the Hypervisor framework (kern.hv_support is 0)'
  },
  emulatedTscKhz: () => Promise.resolve(process.arch === 'arm64' ? armHostTscKhz : undefined),
  qemuFolders: ['/opt/homebrew/bin', '/usr/local/bin', '/opt/local/bin'],
  installHint: 'install QEMU: brew install qemu',
}
