// What a well-behaved client notices while others send what is too large, too deep, broken or without end. Starts a control plane of
// its own (`node scripts/build.ts` first), takes some 70 s:
//   node scripts/bench/abuse.ts [WORD]          (only the kinds of abuse whose names hold WORD)
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { abusesOf, type Abuse } from './abuses.ts'
import { startControlPlane } from './control-plane.ts'
import type { Testimony } from './witness.ts'

const abuseMs = 900
const calmMs = 300
/** Nothing new is begun after this. */
const wholeMs = 80_000

const only = process.argv[2] ?? ''
const started = performance.now()
const controlPlane = await startControlPlane()
const witness = fork(fileURLToPath(new URL('./witness.ts', import.meta.url)), {
  env: { ...process.env, WITNESS_SERVER: controlPlane.server, WITNESS_TOKEN: controlPlane.token },
})

async function testimony(): Promise<Testimony> {
  const answered = once(witness, 'message')
  witness.send('tell')
  const [message] = (await answered) as [Testimony]
  return message
}

async function residentMiB(): Promise<number> {
  const status = await readFile(`/proc/${String(controlPlane.pid)}/status`, 'utf8').catch(() => '')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? '0') / 1024
}

const calm = async (): Promise<Testimony> => {
  await testimony()
  await pause(calmMs)
  return testimony()
}

/** How often each answer came. */
async function carryOut({ atOnce, attack }: Abuse): Promise<Map<string, number>> {
  const answers = new Map<string, number>()
  const end = performance.now() + abuseMs
  const one = async (): Promise<void> => {
    do {
      const answer = await attack()
      answers.set(answer, (answers.get(answer) ?? 0) + 1)
    } while (performance.now() < end)
  }
  await Promise.all(Array.from({ length: atOnce }, one))
  return answers
}

const row = (cells: readonly string[]): void => {
  const widths = [38, 26, 9, 9, 9, 9, 9]
  process.stdout.write(
    `${cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 9))
      .join(' ')
      .trimEnd()}\n`,
  )
}
const ms = (value: number): string => value.toFixed(1)

const { abuses, close } = abusesOf(controlPlane)
try {
  await pause(2_000)
  row(['', '', 'p99 (ms)', '', '', 'longest', 'memory'])
  row(['abuse', 'answers', 'before', 'during', 'after', 'during', 'MiB'])
  for (const abuse of abuses.filter(({ what }) => what.includes(only))) {
    if (performance.now() - started > wholeMs) {
      row([abuse.what, 'not done: out of time'])
      continue
    }
    await abuse.prepare?.()
    const before = await calm()
    const memoryBefore = await residentMiB()
    const answers = await carryOut(abuse)
    const during = await testimony()
    await abuse.cleanUp?.()
    const after = await calm()
    const counts = [...answers].map(([answer, count]) => `${answer} x${String(count)}`).join(', ')
    const failures = during.failures > 0 ? `, ${String(during.failures)} of others failed` : ''
    row([
      abuse.what,
      counts + failures,
      ...[before.p99, during.p99, after.p99, during.longest].map(ms),
      `${memoryBefore.toFixed(0)} → ${(await residentMiB()).toFixed(0)}`,
    ])
  }
} finally {
  close()
  witness.kill()
  await controlPlane.stop()
}
