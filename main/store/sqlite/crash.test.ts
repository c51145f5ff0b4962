// Nothing acknowledged is ever lost: a writing process is killed with SIGKILL again and again, and its log is cut and damaged.
import { spawn } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../store.ts'
import { openSqliteStore } from './index.ts'

const writerProgram = fileURLToPath(new URL('./testing/crash-writer.ts', import.meta.url))

interface Acknowledged {
  revision: number
  /** How the written value begins; "-" for a deletion. */
  id: string
}

/** Runs a writer on the file and kills it after so many acknowledgements; returns the last one of each key. */
function writeAndKill(file: string, round: number, acknowledgements: number): Promise<Map<string, Acknowledged>> {
  const child = spawn(process.execPath, [writerProgram, file, String(round)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const last = new Map<string, Acknowledged>()
  let count = 0
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [word, key = '', revision = '', id = ''] = line.split(' ')
    // A line cut off by the kill was not read by anyone: it does not count.
    if (word !== 'ack' || !id.endsWith('.')) return
    last.set(key, { revision: Number(revision), id: id.slice(0, -1) })
    count += 1
    if (count === acknowledgements) child.kill('SIGKILL')
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (_, signal) => {
      if (signal === 'SIGKILL') resolve(last)
      else reject(new Error(`the writer ended by itself after ${String(count)} writes`))
    })
  })
}

function expectPairsEqual(store: Store): void {
  const values = new Map(store.range({ prefix: '/pair/' }).entries.map(({ key, value }) => [key, value]))
  for (const [key, value] of values) expect(values.get(key.replace('/left', '/right')), key).toBe(value)
}

// Many processes started and many syncs waited for: slow on a busy disk.
describe('a store whose process is killed', { timeout: 300_000 }, () => {
  let directory: string
  let file: string

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'orrery-crash-'))
    file = join(directory, 'store.db')
  })

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })

  it('has every acknowledged write, whole transactions only, each time', async () => {
    const known = new Map<string, Acknowledged>()
    for (let round = 0; round < 6; round += 1) {
      const acknowledged = await writeAndKill(file, round, 50 + round * 371)
      for (const [key, one] of acknowledged) known.set(key, one)
      const store = await openSqliteStore({ file })
      try {
        for (const [key, { revision, id }] of known) {
          expect(store.revision).toBeGreaterThanOrEqual(revision)
          const entry = store.get(key)
          // A write that was under way at the kill may have happened too: then it is newer.
          if (entry !== undefined && entry.modRevision > revision) continue
          if (id === '-') expect(entry, key).toBeUndefined()
          else if (entry === undefined) await expectDeletedLater(store, key, revision)
          else {
            expect(entry.modRevision).toBe(revision)
            expect(entry.value.startsWith(`"${id}-`)).toBe(true)
          }
        }
        expectPairsEqual(store)
      } finally {
        await store.close()
      }
    }
  })

  it('opens at an earlier whole revision when its log is cut or damaged anywhere', async () => {
    await writeAndKill(file, 0, 400)
    const { size } = await stat(`${file}-wal`)
    expect(size).toBeGreaterThan(0)
    for (let part = 0; part <= 10; part += 1) {
      for (const harm of ['cut', 'flip'] as const) {
        const copy = join(directory, `copy-${String(part)}-${harm}.db`)
        await copyFile(file, copy)
        await copyFile(`${file}-wal`, `${copy}-wal`)
        const at = Math.floor((size * part) / 10)
        if (harm === 'cut') await truncate(`${copy}-wal`, at)
        else await flip(`${copy}-wal`, Math.min(at, size - 1))
        const store = await openSqliteStore({ file: copy })
        expectPairsEqual(store)
        // Every revision up to the newest is there: history has no hole.
        const seen = new Set<number>()
        await new Promise<void>((resolve) => {
          if (store.revision === 1) resolve()
          store.watch({
            prefix: '',
            fromRevision: 2,
            onEvents: (events) => {
              for (const { revision } of events) seen.add(revision)
              if (seen.has(store.revision)) resolve()
            },
          })
        })
        expect(seen.size).toBe(store.revision - 1)
        await store.close()
      }
    }
  })
})

/** The key is gone although its last acknowledged write was a put: only a later, unacknowledged delete explains that. */
async function expectDeletedLater(store: Store, key: string, revision: number): Promise<void> {
  const then = await store.rangeAt({ prefix: key, atRevision: revision })
  expect(then.entries.map((entry) => entry.key)).toContain(key)
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[at] = (bytes[at] ?? 0) ^ 0xff
  await writeFile(path, bytes)
}
