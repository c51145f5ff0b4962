// Durable writes per second of the store against what the disk itself can sync, measured in the same run.
//   node scripts/bench/store.ts [--seconds 3] [--value 1024] [--clients 1,16,64] [--dir DIR] [--json]
// Prints one JSON document on stdout and a table on stderr.
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type DiskRates, fdatasyncRates } from './disk.ts'
import { openSqliteStore } from '../../main/store/sqlite/index.ts'
import type { Store } from '../../main/store/store.ts'

interface Measured {
  clients: number
  putsPerSecond: number
  p50Ms: number
  p99Ms: number
  cpuMsPerPut: number
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    value: { type: 'string', default: '1024' },
    clients: { type: 'string', default: '1,16,64' },
    dir: { type: 'string', default: tmpdir() },
  },
})
const seconds = Number(values.seconds)
const valueBytes = Number(values.value)
const text = JSON.stringify({ data: 'x'.repeat(Math.max(0, valueBytes - 11)) })

async function measurePuts(store: Store, clients: number, run: number): Promise<Measured> {
  const latencies: number[] = []
  const cpu = process.cpuUsage()
  const start = performance.now()
  const end = start + seconds * 1000
  const client = async (number: number): Promise<void> => {
    for (let count = 0; performance.now() < end; count += 1) {
      const key = `/registry/configmaps/bench/r${String(run)}-${String(number)}-${String(count)}`
      const sent = performance.now()
      await store.txn([{ key, modRevision: 0 }], [{ put: key, value: text }])
      latencies.push(performance.now() - sent)
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
  const elapsed = performance.now() - start
  const used = process.cpuUsage(cpu)
  latencies.sort((a, b) => a - b)
  const at = (part: number): number => round(latencies[Math.floor((latencies.length - 1) * part)] ?? 0)
  return {
    clients,
    putsPerSecond: Math.round((latencies.length / elapsed) * 1000),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    cpuMsPerPut: round((used.user + used.system) / 1000 / latencies.length),
  }
}

const round = (value: number): number => Math.round(value * 1000) / 1000

const directory = mkdtempSync(join(values.dir, 'orrery-bench-'))
try {
  const before = fdatasyncRates(seconds, directory)
  const file = join(directory, 'store.db')
  const store = await openSqliteStore({ file })
  const results: Measured[] = []
  for (const [run, clients] of values.clients.split(',').map(Number).entries()) {
    results.push(await measurePuts(store, clients, run))
  }
  const after = fdatasyncRates(seconds, directory)
  const heap = process.memoryUsage()
  const keys = store.count('')
  await store.close()

  const reopen = performance.now()
  const again = await openSqliteStore({ file })
  const openMs = Math.round(performance.now() - reopen)
  const read = performance.now()
  const { entries } = again.range({ prefix: '/registry/configmaps/bench/', limit: 10_000 })
  const rangeMs = round(performance.now() - read)
  await again.close()

  const disk = Math.max(before.growing, after.growing)
  const machine = {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
  }
  console.log(
    JSON.stringify(
      {
        machine,
        valueBytes: text.length,
        fdatasyncPerSecond: before,
        fdatasyncPerSecondAfter: after,
        results,
        keys,
        rssMiB: Math.round(heap.rss / 2 ** 20),
        openMs,
        range: { entries: entries.length, ms: rangeMs },
      },
      null,
      2,
    ),
  )
  const rates = (way: keyof DiskRates): string =>
    `${before[way].toFixed(0)} fdatasync/s before, ${after[way].toFixed(0)} after`
  console.error(`disk: growing file ${rates('growing')}; file of its full size ${rates('preallocated')}`)
  console.error('clients  puts/s   of disk   p50 ms   p99 ms   cpu ms/put')
  for (const result of results) {
    const share = `${String(Math.round((result.putsPerSecond / disk) * 100))} %`
    const columns = [result.clients, result.putsPerSecond, share, result.p50Ms, result.p99Ms, result.cpuMsPerPut]
    console.error(columns.map((column) => String(column).padStart(7)).join('  '))
  }
  console.error(
    `open with ${String(keys)} keys: ${String(openMs)} ms; range of ${String(entries.length)}: ${String(rangeMs)} ms`,
  )
} finally {
  rmSync(directory, { recursive: true, force: true })
}
