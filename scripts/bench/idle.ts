// What a running, quiet lab costs: CPU of the engine and of each VM over a minute, and resident memory.
// Usage: ORRERY_HOME=… node scripts/bench/idle.ts [SECONDS]   (the lab must be up and Ready)
import { readFileSync } from 'node:fs'
import { runningEngine } from '../../main/engine/engine-info.ts'
import { defaultHome, homePaths } from '../../main/engine/paths.ts'
import { readdirSync } from 'node:fs'
import { cpuSeconds, describeMachine, residentMB } from './machine.ts'

const seconds = Number(process.argv[2] ?? 60)
const paths = homePaths(defaultHome())
const info = await runningEngine(paths)
if (!info) throw new Error(`no engine runs on ${paths.home}`)
const processes: { name: string; pid: number }[] = [{ name: 'engine', pid: info.pid }]
for (const machine of readdirSync(paths.machines)) {
  const { pid } = JSON.parse(readFileSync(paths.machine(machine).state, 'utf8')) as { pid: number }
  processes.push({ name: machine, pid })
}
const before = processes.map(({ pid }) => cpuSeconds(pid))
const started = performance.now()
await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
const elapsed = (performance.now() - started) / 1000
const rows = processes.map(({ name, pid }, index) => ({
  name,
  cpuPercentOfOneCore: Number((((cpuSeconds(pid) - (before[index] ?? 0)) / elapsed) * 100).toFixed(2)),
  rssMB: Math.round(residentMB(pid)),
}))
const total = rows.reduce((sum, row) => sum + row.cpuPercentOfOneCore, 0)
console.log(
  JSON.stringify(
    { machine: describeMachine(), seconds, rows, totalCpuPercentOfOneCore: Number(total.toFixed(2)) },
    undefined,
    2,
  ),
)
