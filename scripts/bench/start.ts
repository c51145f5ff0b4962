// How long until the control plane answers: process start to /readyz over TLS, on a new home and on the same home again.
// Usage: node scripts/bench/start.ts [RUNS]
import { rm } from 'node:fs/promises'
import { newHome, startControlPlane } from './control-plane.ts'
import { describeMachine, residentMB } from './machine.ts'

const runs = Number(process.argv[2] ?? 5)

async function startOnce(home: string): Promise<{ ms: number; rssMB: number }> {
  const plane = await startControlPlane(home)
  const rssMB = residentMB(plane.pid)
  await plane.stop()
  return { ms: plane.readyMs, rssMB }
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
const first: number[] = []
const again: number[] = []
const rss: number[] = []
for (let run = 0; run < runs; run += 1) {
  const home = await newHome()
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
