// When a process was started, as an opaque text that differs between two processes that had the same pid.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { platform } from 'node:os'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** undefined when no such process runs. */
export async function processStartTime(pid: number): Promise<string | undefined> {
  try {
    switch (platform()) {
      case 'linux': {
        const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8')
        // Fields after the parenthesised command, which may itself hold spaces: state is field 3, starttime field 22.
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        return fields[0] === 'Z' ? undefined : fields[19]
      }
      case 'win32': {
        const { stdout } = await run('powershell', [
          '-NoProfile',
          '-Command',
          `(Get-Process -Id ${String(pid)}).StartTime.Ticks`,
        ])
        return stdout.trim() || undefined
      }
      default: {
        const { stdout } = await run('ps', ['-o', 'lstart=', '-p', String(pid)])
        return stdout.trim() || undefined
      }
    }
  } catch {
    return undefined
  }
}
