// The API's figures against their targets, by an outside load generator that runs on the same machine: start, idle, every verb,
// lists, watches, memory afterwards. All of it durable (fsync before the answer), with authentication, RBAC and admission on,
// controllers and scheduler running. Prints a table, medians of rounds; figures taken while something else used the CPU are marked.
// Usage: node scripts/bench/api.ts LOAD_GENERATOR.mjs [--rounds 3] [--only TEXT] [--json FILE]
//        node scripts/bench/api.ts LOAD_GENERATOR.mjs -- COMMAND ARGS…      one command of the generator, as it prints it
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { type Reading, steps, type Target } from './api-rows.ts'
import { type ControlPlane, startControlPlane } from './control-plane.ts'
import { fdatasyncRates } from './disk.ts'
import { cpuSeconds, describeMachine, residentMB } from './machine.ts'

const separator = process.argv.indexOf('--')
const alone = separator < 0 ? [] : process.argv.slice(separator + 1)
const { values, positionals } = parseArgs({
  args: process.argv.slice(2, separator < 0 ? undefined : separator),
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
  },
})
const [generator] = positionals
if (generator === undefined)
  throw new Error('usage: api.ts LOAD_GENERATOR.mjs [--rounds N] [--only TEXT] [--json FILE]')
const rounds = Number(values.rounds)
/** Beyond this, in % of one core, a run was disturbed. */
const quietPercent = 15

interface Measured {
  readonly what: string
  readonly unit: string
  readonly target: Target
  readonly reading: Reading
}
const measured: Measured[] = []

async function generate(plane: ControlPlane, command: readonly string[]): Promise<{ result: unknown; fatal?: string }> {
  const credentials = ['--base', plane.server, '--insecure', '--token', plane.token, '--pids', String(plane.pid)]
  const child = spawn(process.execPath, [generator as string, ...command, ...credentials], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (part: Buffer) => (text += part.toString()))
  await once(child, 'close')
  return JSON.parse(text) as { result: unknown; fatal?: string }
}

const sleep = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000))
const wanted = (command: readonly string[]): boolean => command.join(' ').includes(values.only)

/** A new home each time: until ready, until a new Deployment's pods have their nodes, then what it takes to do nothing. */
async function measureStartAndIdle(): Promise<void> {
  const plane = await startControlPlane()
  try {
    const { result } = await generate(plane, ['startup', '--t0', String(plane.startedAt)])
    const { podsBoundMs } = result as { podsBoundMs: number }
    await sleep(10)
    const before = cpuSeconds(plane.pid)
    await sleep(20)
    const idlePercent = ((cpuSeconds(plane.pid) - before) / 20) * 100
    measured.push(
      { what: 'ready after start, new home', unit: 'ms', target: { atMost: 500 }, reading: { value: plane.readyMs } },
      {
        what: 'pods of a new Deployment scheduled, from the start of the process on',
        unit: 'ms',
        target: { atMost: plane.readyMs + 1000 },
        reading: { value: podsBoundMs },
      },
      { what: 'resident when idle', unit: 'MB', target: { atMost: 150 }, reading: { value: residentMB(plane.pid) } },
      { what: 'CPU when idle', unit: '% of a core', target: { atMost: 1 }, reading: { value: idlePercent } },
    )
  } finally {
    await plane.stop()
  }
}

async function measureLoad(): Promise<void> {
  const plane = await startControlPlane()
  try {
    for (const { command, rows } of steps) {
      if (!wanted(command)) continue
      // Beside each step: the disk is shared and its speed moves.
      const disk = fdatasyncRates(1)
      const round = { fdatasyncsPerSecond: disk.growing }
      const { result, fatal } = await generate(plane, command)
      if (fatal !== undefined) throw new Error(`${command.join(' ')}: ${fatal}`)
      if (command[0] === 'create' && command.includes('configmaps')) {
        const rate = (what: string, value: number): Measured => ({ what, unit: '/s', target: {}, reading: { value } })
        measured.push(
          rate('fdatasync of the disk itself', disk.growing),
          rate('the same in a file that has its size already', disk.preallocated),
        )
      }
      for (const { what, unit, target, read } of rows)
        measured.push({ what, unit, target: target(round), reading: read(result) })
    }
    const reading = { value: residentMB(plane.pid) }
    if (values.only === '')
      measured.push({ what: 'resident after all of it', unit: 'MB', target: { atMost: 500 }, reading })
  } finally {
    await plane.stop()
  }
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor((numbers.length - 1) / 2)] ?? Number.NaN
const medianOf = (runs: readonly Measured[], pick: (run: Measured) => number | undefined): number | undefined => {
  const numbers = runs.map(pick).filter((value) => value !== undefined)
  return numbers.length === 0 ? undefined : median(numbers)
}
const short = (value: number | undefined): string =>
  value === undefined
    ? ''
    : value >= 100
      ? Math.round(value).toLocaleString('en-US')
      : String(Number(value.toPrecision(3)))

/** Figures of start, idle and disk do not know what else ran. */
function describeRuns(all: number, calm: number, known: boolean): string {
  if (!known) return String(all)
  return calm > 0 ? `${String(calm)} of ${String(all)}` : `${String(all)}, all disturbed`
}

function summarize(): Record<string, string>[] {
  return [...Map.groupBy(measured, ({ what }) => what).values()].map((all) => {
    const calm = all.filter(({ reading }) => (reading.other ?? 0) <= quietPercent)
    const runs = calm.length > 0 ? calm : all
    const value = medianOf(runs, ({ reading }) => reading.value) ?? Number.NaN
    const atLeast = medianOf(runs, ({ target }) => target.atLeast)
    const atMost = medianOf(runs, ({ target }) => target.atMost)
    const missed = (atLeast !== undefined && value < atLeast) || (atMost !== undefined && value > atMost)
    const target = atLeast === undefined ? (atMost === undefined ? '' : `≤ ${short(atMost)}`) : `≥ ${short(atLeast)}`
    const [{ what, unit }] = all as [Measured]
    return {
      what,
      target: target === '' ? '' : `${target} ${unit}`,
      measured: `${short(value)} ${unit}`,
      met: target === '' ? '' : missed ? '**no**' : 'yes',
      'p99 ms': short(medianOf(runs, ({ reading }) => reading.p99Ms)),
      'server CPU ms': short(medianOf(runs, ({ reading }) => reading.cpuMs)),
      runs: describeRuns(
        all.length,
        calm.length,
        all.some(({ reading }) => reading.other !== undefined),
      ),
    }
  })
}

function printTable(rows: readonly Record<string, string>[]): void {
  const columns = Object.keys(rows[0] ?? {})
  console.log(`| ${columns.join(' | ')} |\n|${columns.map(() => '---|').join('')}`)
  for (const row of rows) console.log(`| ${columns.map((column) => row[column] ?? '').join(' | ')} |`)
}

if (alone.length > 0) {
  const plane = await startControlPlane()
  try {
    console.log(JSON.stringify(await generate(plane, alone), undefined, 1))
  } finally {
    await plane.stop()
  }
} else {
  console.log(`${describeMachine()}, ${new Date().toISOString()}`)
  for (let round = 1; round <= rounds; round += 1) {
    if (values.only === '') await measureStartAndIdle()
    await measureLoad()
    console.error(`round ${String(round)} of ${String(rounds)} done`)
  }
  const rows = summarize()
  printTable(rows)
  if (values.json !== undefined) await writeFile(values.json, JSON.stringify({ rows, measured }, undefined, 1))
}
