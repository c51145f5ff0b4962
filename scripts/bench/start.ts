// How long until the control plane answers: process start to /readyz over TLS, on a new home and on the same home again.
// Usage: node scripts/bench/start.ts [RUNS]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runningEngine } from '../../main/engine/engine-info.ts'
import { homePaths } from '../../main/engine/paths.ts'
import { programFiles } from '../../main/engine/program-files.ts'
import { describeMachine, residentMB } from './machine.ts'

const runs = Number(process.argv[2] ?? 5)

const ready = (server: string): Promise<boolean> =>
  new Promise((resolve) => {
    const outgoing = request(`${server}/readyz`, { rejectUnauthorized: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    outgoing.on('error', () => {
      resolve(false)
    })
    outgoing.end()
  })

async function startOnce(home: string): Promise<{ ms: number; rssMB: number }> {
  const started = performance.now()
  const child = spawn(process.execPath, [programFiles.engine, '--no-machines'], {
    env: { ...process.env, ORRERY_HOME: home },
    stdio: 'ignore',
  })
  try {
    for (;;) {
      const info = await runningEngine(homePaths(home))
      if (info && (await ready(info.server))) break
      if (performance.now() - started > 60_000) throw new Error('the engine did not become ready within 60 s')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return { ms: performance.now() - started, rssMB: residentMB(child.pid ?? 0) }
  } finally {
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  }
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
const first: number[] = []
const again: number[] = []
const rss: number[] = []
for (let run = 0; run < runs; run += 1) {
  const home = await mkdtemp(join(tmpdir(), 'orrery-bench-'))
  first.push((await startOnce(home)).ms)
  const second = await startOnce(home)
  again.push(second.ms)
  rss.push(second.rssMB)
  await rm(home, { recursive: true, force: true })
}
console.log(
  JSON.stringify(
    {
      machine: describeMachine(),
      runs,
      newHomeMs: Math.round(median(first)),
      sameHomeMs: Math.round(median(again)),
      rssAfterStartMB: Math.round(median(rss)),
    },
    undefined,
    2,
  ),
)
