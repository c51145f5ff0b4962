import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { create, put, remove } from '../store-contract.ts'
import { CorruptStoreError, DiskFullError, StoreInUseError } from '../store.ts'
import { openSqliteStore } from './index.ts'

let directory: string
let file: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'orrery-open-'))
  file = join(directory, 'store.db')
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

describe('opening', () => {
  it('continues where it was closed', async () => {
    const first = await openSqliteStore({ file })
    await create(first, '/a', '1')
    await put(first, '/a', '2')
    await create(first, '/b', '1')
    await remove(first, '/b')
    await first.close()
    const second = await openSqliteStore({ file })
    expect(second.revision).toBe(5)
    expect(second.range({ prefix: '/' }).entries).toEqual([
      { key: '/a', value: '2', createRevision: 2, modRevision: 3, version: 2 },
    ])
    const then = await second.rangeAt({ prefix: '/', atRevision: 4 })
    expect(then.entries.map(({ key }) => key)).toEqual(['/a', '/b'])
    expect(await create(second, '/c')).toBe(6)
    await second.close()
  })

  it('refuses a file that is no database, and leaves it alone', async () => {
    const text = 'dear diary '.repeat(1000)
    await writeFile(file, text)
    const opening = openSqliteStore({ file })
    await expect(opening).rejects.toThrow(CorruptStoreError)
    await expect(opening).rejects.toThrow(/is not a database\. Move .*store\.db .* away/)
    expect(await readFile(file, 'utf8')).toBe(text)
  })

  it("refuses somebody else's database", async () => {
    const other = new Database(file)
    other.exec('CREATE TABLE recipes (name TEXT)')
    other.close()
    await expect(openSqliteStore({ file })).rejects.toThrow(/not an Orrery store/)
  })

  it('refuses a format it does not know and says which', async () => {
    await (await openSqliteStore({ file })).close()
    const database = new Database(file)
    database.pragma('user_version = 99')
    database.close()
    await expect(openSqliteStore({ file })).rejects.toThrow(/store format 99.*newer Orrery/)
  })

  it('refuses a file whose pages are damaged', async () => {
    const store = await openSqliteStore({ file })
    for (let index = 0; index < 200; index += 1) await create(store, `/k${String(index)}`, `"${'x'.repeat(2000)}"`)
    await store.close()
    const bytes = await readFile(file)
    bytes.fill(0xa5, 4096 * 2)
    await writeFile(file, bytes)
    await expect(openSqliteStore({ file })).rejects.toThrow(CorruptStoreError)
  })

  it('refuses a file that another process has open', async () => {
    const store = await openSqliteStore({ file })
    await create(store, '/a')
    await expect(openSqliteStore({ file })).rejects.toThrow(StoreInUseError)
    await store.close()
  })

  it('fails plainly when the directory does not exist', async () => {
    await expect(openSqliteStore({ file: join(directory, 'no', 'where.db') })).rejects.toThrow(/directory/)
  })
})

describe('a snapshot', () => {
  it('is the whole store at one revision, taken while writes go on', async () => {
    const store = await openSqliteStore({ file })
    for (let index = 0; index < 50; index += 1) await create(store, `/k${String(index)}`, `"${'x'.repeat(5000)}"`)
    const copy = join(directory, 'copy.db')
    const writing = Array.from({ length: 50 }, (_, index) => put(store, `/k${String(index)}`, '"new"'))
    const { revision } = await store.snapshot(copy)
    await Promise.all(writing)
    const restored = await openSqliteStore({ file: copy })
    expect(restored.revision).toBe(revision)
    const then = await store.rangeAt({ prefix: '', atRevision: revision })
    expect(restored.range({ prefix: '' })).toEqual(then)
    const past = await restored.rangeAt({ prefix: '', atRevision: 20 })
    expect(past.entries).toHaveLength(19)
    await restored.close()
    await store.close()
  })
})

describe('compaction', () => {
  it('gives back room for new writes and survives being interrupted by close', async () => {
    const store = await openSqliteStore({ file })
    for (let index = 0; index < 1500; index += 1) await put(store, '/hot', `"${String(index)}-${'x'.repeat(3000)}"`)
    await store.compact(store.revision)
    await store.close()
    const again = await openSqliteStore({ file })
    await again.close()
    await rowCountBelow(5)
    const { size } = await stat(file)
    const third = await openSqliteStore({ file })
    expect(third.compactRevision).toBe(1501)
    for (let index = 0; index < 500; index += 1) await put(third, '/hot', `"${String(index)}-${'x'.repeat(3000)}"`)
    await third.close()
    expect((await stat(file)).size).toBeLessThanOrEqual(size * 1.1)
  })

  /** Opens the store until background compaction has finished its slices. */
  async function rowCountBelow(limit: number): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const store = await openSqliteStore({ file })
      await store.rangeAt({ prefix: '', atRevision: store.revision })
      await store.close()
      const database = new Database(file, { readonly: true })
      const count = database.prepare<[], { n: number }>('SELECT count(*) AS n FROM log').get()?.n ?? 0
      database.close()
      if (count < limit) return
    }
    throw new Error('compaction did not finish')
  }
})

describe('a full disk', () => {
  const value = JSON.stringify('x'.repeat(20_000))

  async function fill(target: string, maxSizeMiB?: number): Promise<void> {
    const store = await openSqliteStore({ file: target, maxSizeMiB })
    const results = await Promise.allSettled(
      Array.from({ length: 400 }, (_, index) => create(store, `/k${String(index)}`, value)),
    )
    const written = results.flatMap((result, index) => (result.status === 'fulfilled' ? [[index, result.value]] : []))
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
    expect(refused.length).toBeGreaterThan(0)
    for (const reason of refused) expect(reason).toBeInstanceOf(DiskFullError)
    // What was acknowledged is there, what was refused is not, and revisions have no hole.
    expect(store.count('/')).toBe(written.length)
    for (const [index, revision] of written) expect(store.get(`/k${String(index)}`)?.modRevision).toBe(revision)
    expect(store.revision).toBe(1 + written.length)
    await expect(create(store, '/more', value.repeat(300))).rejects.toThrow(DiskFullError)
    expect(store.get('/more')).toBeUndefined()
    const before = store.range({ prefix: '' })
    await store.close()
    const again = await openSqliteStore({ file: target })
    expect(again.range({ prefix: '' })).toEqual(before)
    await again.close()
  }

  it('refuses writes at the size limit, one by one, and stays consistent', async () => {
    await fill(file, 3)
    const roomier = await openSqliteStore({ file })
    await create(roomier, '/more', value)
    await roomier.close()
  })

  it('keeps what it acknowledged before it noticed', async () => {
    const small = JSON.stringify('x'.repeat(10_000))
    const store = await openSqliteStore({ file, maxSizeMiB: 3 })
    let written = 0
    // One at a time: they go through the commit log, which has room when the database has none left.
    const refusal = await (async () => {
      for (; written < 2000; written += 1) await create(store, `/k${String(written)}`, small)
    })().catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(DiskFullError)
    await expect(create(store, '/more', small)).rejects.toThrow(DiskFullError)
    const before = store.range({ prefix: '' })
    expect(before.entries).toHaveLength(written)
    await store.close()
    await expect(openSqliteStore({ file, maxSizeMiB: 3 })).rejects.toThrow(DiskFullError)
    const roomier = await openSqliteStore({ file })
    expect(roomier.range({ prefix: '' })).toEqual(before)
    expect(await create(roomier, '/more', small)).toBe(before.revision + 1)
    await roomier.close()
    expect(await readdir(directory)).toEqual(['store.db'])
  })

  it('decides later transactions anew when an earlier batch is refused', async () => {
    const store = await openSqliteStore({ file, maxSizeMiB: 1 })
    const tooLarge = store.txn([], [{ put: '/big', value: value.repeat(100) }])
    const dependent = new Promise((resolve) => {
      setImmediate(() => {
        // Submitted while the first is being written: head says the key exists, the disk will say no.
        resolve(store.txn([{ key: '/big', modRevision: 0 }], [{ put: '/big', value: '"small"' }]))
      })
    })
    await expect(tooLarge).rejects.toThrow(DiskFullError)
    expect(await dependent).toEqual({ succeeded: true, revision: 2, previous: [undefined] })
    await store.close()
  })

  it('takes writes again when there is room (a real file system without space)', async ({ skip }) => {
    const mount = join(directory, 'small')
    mkdirSync(mount)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', mount], { stdio: 'ignore' })
    } catch {
      skip('mounting needs root')
    }
    try {
      const target = join(mount, 'store.db')
      const ballast = join(mount, 'ballast')
      await writeFile(ballast, Buffer.alloc(4 << 20))
      const store = await openSqliteStore({ file: target })
      const results = await Promise.allSettled(
        Array.from({ length: 200 }, (_, index) => create(store, `/k${String(index)}`, value)),
      )
      const refused = results.filter(({ status }) => status === 'rejected')
      expect(refused.length).toBeGreaterThan(0)
      await rm(ballast)
      await create(store, '/more', value)
      const before = store.range({ prefix: '' })
      await store.close()
      const again = await openSqliteStore({ file: target })
      expect(again.range({ prefix: '' })).toEqual(before)
      await again.close()
    } finally {
      execFileSync('umount', [mount])
    }
  })
})
