// What a measurement was taken on, and how processes are read (Linux).
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'

export function describeMachine(): string {
  const [first] = cpus()
  return `${String(cpus().length)} x ${first?.model.trim() ?? 'unknown CPU'}, ${(totalmem() / 1024 ** 3).toFixed(0)} GiB, Linux ${release()}, Node ${process.version}`
}

/** CPU time used so far by a process and its threads, in seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // Clock ticks are 100 per second on every Linux that Node runs on.
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** Resident memory in MB (10^6 bytes). */
export function residentMB(pid: number): number {
  const kibibytes = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1] ?? 0)
  return (kibibytes * 1024) / 1e6
}
