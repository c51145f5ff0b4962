import { readFile } from 'node:fs/promises'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { platform } from 'node:os'
import type { Diagnostic } from './diagnostic.ts'

interface Verdict {
  accelerator: string
  reason?: string
}

/** The engine probes by booting a kernel; this shows its remembered verdicts, or what the host offers before the first start. */
export const accelerator: Diagnostic = {
  name: 'Accelerator',
  async check({ paths }) {
    try {
      const known = Object.values(JSON.parse(await readFile(paths.accelerators, 'utf8')) as Record<string, Verdict>)
      const emulated = known.find((verdict) => verdict.accelerator === 'tcg')
      const found = [...new Set(known.map((verdict) => verdict.accelerator))].join(', ')
      if (known.length > 0 && !known.every((verdict) => verdict.accelerator === 'tcg'))
        return { verdict: 'good', found: `${found}, proven by booting a kernel` }
      if (emulated)
        return {
          verdict: 'note',
          found: `tcg (emulation): ${emulated.reason ?? 'no faster one works here'}`,
          remedy: 'Everything works, several times slower. See the reason above.',
        }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
    if (platform() !== 'linux')
      return { verdict: 'note', found: 'not probed yet', remedy: 'The first start of a machine probes it.' }
    try {
      await access('/dev/kvm', constants.R_OK | constants.W_OK)
      return {
        verdict: 'note',
        found: '/dev/kvm can be opened; not proven yet',
        remedy: 'The first start of a machine boots a kernel with it and falls back to emulation if that fails.',
      }
    } catch {
      return {
        verdict: 'note',
        found: 'no usable /dev/kvm: machines are emulated',
        remedy: 'Enable virtualisation in the firmware, and join the group kvm: sudo usermod -aG kvm $USER',
      }
    }
  },
}
