// Windows: process facts through PowerShell's CIM and Get-Process, asked rarely because each question starts a process.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { armHostTscKhz, type Platform } from './platform.ts'

const run = promisify(execFile)

async function powershell(script: string): Promise<string | undefined> {
  try {
    const { stdout } = await run('powershell.exe', ['-NoProfile', '-NonInteractive', '-Command', script], {
      timeout: 15_000,
      windowsHide: true,
    })
    return stdout.trim() === '' ? undefined : stdout.trim()
  } catch {
    return undefined
  }
}

export const windows: Platform = {
  accelerator: 'whpx',
  processStartTime: (pid) => powershell(`(Get-Process -Id ${String(pid)}).StartTime.ToFileTimeUtc()`),
  async processUsage(pid) {
    const line = await powershell(
      `$p = Get-Process -Id ${String(pid)}; "$($p.WorkingSet64) $([int64]$p.TotalProcessorTime.TotalMilliseconds)"`,
    )
    if (line === undefined) return undefined
    const [rss = '0', cpu = '0'] = line.split(' ')
    return { rssBytes: Number(rss), cpuMs: Number(cpu) }
  },
  async hostBootId() {
    return (await powershell('(Get-CimInstance Win32_OperatingSystem).LastBootUpTime.ToFileTimeUtc()')) ?? 'unknown'
  },
  async acceleratorProblem() {
    const state = await powershell('(Get-CimInstance Win32_ComputerSystem).HypervisorPresent')
    return state === 'True'
      ? undefined
      : 'the Windows Hypervisor Platform is off: turn it on in "Windows features" and restart'
  },
  emulatedTscKhz: () => Promise.resolve(process.arch === 'arm64' ? armHostTscKhz : undefined),
  qemuFolders: ['C:\\Program Files\\qemu'],
  installHint: 'install QEMU: winget install SoftwareFreedomConservancy.QEMU',
}
