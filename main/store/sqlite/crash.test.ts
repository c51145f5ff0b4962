// Nothing acknowledged is ever lost: a writing process is killed with SIGKILL again and again, and its log is cut and damaged.
import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { copyFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../store.ts'
import { openSqliteStore } from './index.ts'
import { encodeRecord, recordsOf, recordsStart } from './log-records.ts'

const writerProgram = fileURLToPath(new URL('./testing/crash-writer.ts', import.meta.url))

interface Acknowledged {
  revision: number
  /** How the written value begins; "-" for a deletion. */
  id: string
}

/**
 * Runs a writer on the file and kills it after so many acknowledgements, and not before it uses a commit log; returns the last
 * acknowledgement of each key.
 */
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
    if (count >= acknowledgements && usesLog(`${file}-commits`)) child.kill('SIGKILL')
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (_, signal) => {
      if (signal === 'SIGKILL') resolve(last)
      else reject(new Error(`the writer ended by itself after ${String(count)} writes`))
    })
  })
}

function usesLog(log: string): boolean {
  if (!existsSync(log)) return false
  const descriptor = openSync(log, 'r')
  const length = Buffer.alloc(4)
  readSync(descriptor, length, 0, length.length, recordsStart)
  closeSync(descriptor)
  return length.readUInt32LE() > 0
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
      const acknowledged = await writeAndKill(file, round, 50 + round * round * 371)
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

  it('opens at an earlier whole revision when its logs are cut or damaged anywhere', async () => {
    await writeAndKill(file, 0, 400)
    const suffixes = ['', '-wal', '-commits']
    const cases = ['-wal', '-commits'].flatMap((suffix) =>
      (['cut', 'flip'] as const).flatMap((harm) =>
        Array.from({ length: 11 }, (_, part) => ({ suffix, harm, part: part / 10 })),
      ),
    )
    const used = await usedBytes(`${file}-commits`)
    for (const [number, { suffix, harm, part }] of cases.entries()) {
      const copy = join(directory, `copy-${String(number)}.db`)
      for (const each of suffixes) await copyFile(file + each, copy + each)
      const { size } = await stat(file + suffix)
      expect(size).toBeGreaterThan(0)
      const at = Math.floor((suffix === '-wal' ? size : used) * part)
      if (harm === 'cut') await truncate(copy + suffix, at)
      else await flip(copy + suffix, Math.min(at, size - 1))
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
  })

  it('is what a snapshot put in its place says: the log that was left belongs to another', async () => {
    const copy = join(directory, 'copy.db')
    await writeAndKill(file, 0, 300)
    const store = await openSqliteStore({ file })
    for (let count = 0; count < 100; count += 1) await store.txn([], [{ put: '/k', value: String(count) }])
    const { revision } = await store.snapshot(copy)
    await store.close()
    await writeAndKill(file, 1, 300)
    await copyFile(copy, file)
    await rm(`${file}-wal`)
    expect(await usedBytes(`${file}-commits`)).toBeGreaterThan(0)
    const restored = await openSqliteStore({ file })
    expect(restored.revision).toBe(revision)
    expect(restored.get('/k')?.value).toBe('99')
    await restored.close()
  })
})

/** Of a commit log: up to the end of the records that count. */
async function usedBytes(log: string): Promise<number> {
  const scratch = Buffer.alloc(1 << 20)
  const records = [...recordsOf(await readFile(log))]
  return records.reduce((sum, rows) => sum + encodeRecord(rows, scratch), recordsStart)
}

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
