// What every store must do; each implementation runs this suite.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ClosedError, CompactedError, FutureRevisionError } from './store.ts'
import type { Store, StoreEvent, TxnResult, Watch } from './store.ts'

export interface StoreFactory {
  /** A new, empty store; `directory` is its own and is removed afterwards. */
  open(directory: string): Promise<Store>
}

/** Creates; fails the test when the key exists. */
export async function create(store: Store, key: string, value = `"${key}"`): Promise<number> {
  return revisionOf(await store.txn([{ key, modRevision: 0 }], [{ put: key, value }]))
}

export async function put(store: Store, key: string, value: string): Promise<number> {
  return revisionOf(await store.txn([], [{ put: key, value }]))
}

export async function remove(store: Store, key: string): Promise<number> {
  return revisionOf(await store.txn([], [{ delete: key }]))
}

function revisionOf(result: TxnResult): number {
  if (!result.succeeded) throw new Error('the compare failed')
  return result.revision
}

/** A watch that collects, with a way to wait for a revision instead of sleeping. */
export class Collector {
  readonly events: StoreEvent[] = []
  readonly batches: (readonly StoreEvent[])[] = []
  error: Error | undefined
  readonly #watch: Watch

  constructor(store: Store, prefix: string, fromRevision: number, options: { exact?: boolean } = {}) {
    this.#watch = store.watch({
      prefix,
      fromRevision,
      ...options,
      onEvents: (events) => {
        this.batches.push(events)
        this.events.push(...events)
      },
      onError: (error) => {
        this.error = error
      },
    })
  }

  get progress(): number {
    return this.#watch.progress
  }

  close(): void {
    this.#watch.close()
  }

  /** Resolves when everything up to this revision was delivered, or the watch has failed. */
  async reached(revision: number): Promise<void> {
    while (this.progress < revision && this.error === undefined) await new Promise(setImmediate)
  }

  summary(): string[] {
    return this.events.map(({ type, key, revision, entry }) =>
      type === 'put' ? `${String(revision)} put ${key}=${entry.value}` : `${String(revision)} delete ${key}`,
    )
  }
}

export function describeStoreContract(name: string, factory: StoreFactory): void {
  describe(`${name}: store contract`, () => {
    let directory: string
    let store: Store

    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), 'orrery-store-'))
      store = await factory.open(directory)
    })

    afterEach(async () => {
      await store.close()
      await rm(directory, { recursive: true, force: true })
    })

    describe('writing', () => {
      it('starts empty at revision 1', () => {
        expect(store.revision).toBe(1)
        expect(store.range({ prefix: '' })).toEqual({ entries: [], revision: 1, remaining: 0 })
      })

      it('gives every change a new revision and counts versions from 1', async () => {
        expect(await create(store, '/a', '1')).toBe(2)
        expect(await put(store, '/a', '2')).toBe(3)
        expect(store.get('/a')).toEqual({ key: '/a', value: '2', createRevision: 2, modRevision: 3, version: 2 })
        expect(await remove(store, '/a')).toBe(4)
        expect(store.get('/a')).toBeUndefined()
        await create(store, '/a', '3')
        expect(store.get('/a')).toEqual({ key: '/a', value: '3', createRevision: 5, modRevision: 5, version: 1 })
      })

      it('does nothing when a compare fails, and answers with the current entries', async () => {
        await create(store, '/a', '1')
        const result = await store.txn(
          [
            { key: '/a', modRevision: 9 },
            { key: '/b', modRevision: 0 },
          ],
          [{ put: '/b', value: '1' }],
        )
        expect(result).toEqual({ succeeded: false, current: [store.get('/a'), undefined] })
        expect(store.get('/b')).toBeUndefined()
        expect(store.revision).toBe(2)
      })

      it('puts all operations of a transaction at one revision and returns what they replaced', async () => {
        await create(store, '/a', '1')
        const old = store.get('/a')
        const result = await store.txn([], [{ put: '/b', value: '2' }, { delete: '/a' }, { delete: '/missing' }])
        expect(result).toEqual({ succeeded: true, revision: 3, previous: [undefined, old, undefined] })
        expect(store.range({ prefix: '/' }).entries.map(({ key }) => key)).toEqual(['/b'])
      })

      it('changes a key once at most in a transaction', async () => {
        const twice = store.txn([], [{ put: '/a', value: '1' }, { delete: '/a' }])
        await expect(twice).rejects.toThrow(RangeError)
        expect(store.revision).toBe(1)
      })

      it('makes no revision when nothing changes', async () => {
        expect(await store.txn([], [{ delete: '/missing' }])).toEqual({
          succeeded: true,
          revision: 1,
          previous: [undefined],
        })
        expect(store.revision).toBe(1)
      })

      it('decides concurrent compares in order: exactly one of many creates wins', async () => {
        const results = await Promise.all(
          Array.from({ length: 50 }, (_, index) =>
            store.txn([{ key: '/one', modRevision: 0 }], [{ put: '/one', value: String(index) }]),
          ),
        )
        expect(results.filter(({ succeeded }) => succeeded)).toHaveLength(1)
        for (const result of results) if (!result.succeeded) expect(result.current).toEqual([store.get('/one')])
        expect(store.get('/one')?.version).toBe(1)
      })

      it('never shows a write before it is acknowledged or after, and never goes back', async () => {
        const writes = Array.from({ length: 20 }, (_, index) => put(store, '/k', String(index)))
        const before = store.revision
        await writes[0]
        expect(store.revision).toBeGreaterThanOrEqual(2)
        expect(store.revision).toBeGreaterThanOrEqual(before)
        await Promise.all(writes)
        expect(store.get('/k')?.value).toBe('19')
        expect(store.revision).toBe(21)
      })

      it('keeps text exactly: any Unicode, large values, odd keys', async () => {
        const value = JSON.stringify({ text: 'äöü 🙂 \u0000 \u2028', big: 'x'.repeat(300_000) })
        for (const key of ['/ü/🙂', '/a b/%', '/__proto__', '/constructor']) {
          await create(store, key, value)
          expect(store.get(key)?.value).toBe(value)
        }
        expect(store.count('/')).toBe(4)
      })
    })

    describe('reading', () => {
      it('ranges over a prefix in key order, in pages', async () => {
        for (const key of ['/p/c', '/p/a', '/q/x', '/p/b', '/o', '/p/', '/p']) await create(store, key)
        const keys = (options: { startAfter?: string; limit?: number }): string[] =>
          store.range({ prefix: '/p/', ...options }).entries.map(({ key }) => key)
        expect(keys({})).toEqual(['/p/', '/p/a', '/p/b', '/p/c'])
        expect(keys({ limit: 2 })).toEqual(['/p/', '/p/a'])
        expect(keys({ startAfter: '/p/a', limit: 2 })).toEqual(['/p/b', '/p/c'])
        expect(store.range({ prefix: '/p/', limit: 1 }).remaining).toBe(3)
        expect(store.range({ prefix: '/p/', startAfter: '/p/a', limit: 1 }).remaining).toBe(1)
        expect(store.count('/p/')).toBe(4)
        expect(store.count('')).toBe(7)
      })

      it('reads a prefix as of an older revision, in pages', async () => {
        await create(store, '/a', '1')
        await create(store, '/b', '1')
        const then = await create(store, '/c', '1')
        await put(store, '/b', '2')
        await remove(store, '/a')
        await create(store, '/aa', '1')
        const all = await store.rangeAt({ prefix: '/', atRevision: then })
        expect(all.revision).toBe(then)
        expect(all.entries.map(({ key, value }) => key + value)).toEqual(['/a1', '/b1', '/c1'])
        const page = await store.rangeAt({ prefix: '/', atRevision: then, startAfter: '/a', limit: 1 })
        expect(page.entries.map(({ key, value }) => key + value)).toEqual(['/b1'])
        expect(page.remaining).toBe(1)
      })

      it('refuses the future', async () => {
        await expect(store.rangeAt({ prefix: '/', atRevision: 5 })).rejects.toThrow(FutureRevisionError)
      })
    })

    describe('watching', () => {
      it('delivers changes under its prefix with what they replaced, and nothing else', async () => {
        const seen = new Collector(store, '/p/', 2)
        await create(store, '/p/a', '1')
        await create(store, '/other', '1')
        await put(store, '/p/a', '2')
        const last = await remove(store, '/p/a')
        await seen.reached(last)
        expect(seen.summary()).toEqual(['2 put /p/a=1', '4 put /p/a=2', '5 delete /p/a'])
        const [first, second, third] = seen.events
        expect(first?.previous).toBeUndefined()
        expect(second?.previous).toEqual(first?.entry)
        expect(third?.entry).toEqual(second?.entry)
        expect(third?.previous).toEqual(second?.entry)
      })

      it('replays from an older revision and goes on live, without gap or repetition', async () => {
        await create(store, '/a', '1')
        await put(store, '/a', '2')
        const seen = new Collector(store, '/', 3)
        const live = put(store, '/a', '3')
        const last = await live
        await seen.reached(last)
        expect(seen.summary()).toEqual(['3 put /a=2', '4 put /a=3'])
      })

      it('begins with the next revision at the latest', async () => {
        const last = await create(store, '/a')
        const seen = new Collector(store, '/', last + 1)
        await seen.reached(await create(store, '/b'))
        expect(seen.summary()).toEqual(['3 put /b="/b"'])
        expect(() => new Collector(store, '/', store.revision + 2)).toThrow(FutureRevisionError)
      })

      it('tells of one key, of a folder, and of whatever starts with a text', async () => {
        const key = new Collector(store, '/p/ab', 2, { exact: true })
        const folder = new Collector(store, '/p/', 2)
        const start = new Collector(store, '/p/a', 2)
        const all = new Collector(store, '', 2)
        const keys = ['/p/a', '/p/ab', '/p/abc', '/p/b', '/q']
        let last = 0
        for (const each of keys) last = await create(store, each)
        const late = new Collector(store, '/p/ab', 2, { exact: true })
        for (const seen of [key, folder, start, all, late]) await seen.reached(last)
        const seenKeys = (seen: Collector): string[] => seen.events.map((event) => event.key)
        expect(seenKeys(key)).toEqual(['/p/ab'])
        expect(seenKeys(late)).toEqual(['/p/ab'])
        expect(seenKeys(folder)).toEqual(['/p/a', '/p/ab', '/p/abc', '/p/b'])
        expect(seenKeys(start)).toEqual(['/p/a', '/p/ab', '/p/abc'])
        expect(seenKeys(all)).toEqual(keys)
      })

      it('keeps a transaction in one piece', async () => {
        const seen = new Collector(store, '/', 2)
        await store.txn(
          [],
          [
            { put: '/a', value: '1' },
            { put: '/b', value: '1' },
          ],
        )
        const last = await put(store, '/c', '1')
        await seen.reached(last)
        for (const batch of seen.batches) {
          const revisions = new Set(batch.map(({ revision }) => revision))
          for (const revision of revisions) {
            const whole = seen.events.filter((event) => event.revision === revision)
            expect(batch.filter((event) => event.revision === revision)).toEqual(whole)
          }
        }
        expect(seen.summary()).toEqual(['2 put /a=1', '2 put /b=1', '3 put /c=1'])
      })

      it('delivers before the writer is answered', async () => {
        const seen = new Collector(store, '/', 2)
        await create(store, '/a')
        expect(seen.events).toHaveLength(1)
      })

      it('is silent after close', async () => {
        const seen = new Collector(store, '/', 2)
        await create(store, '/a')
        seen.close()
        await create(store, '/b')
        expect(seen.events).toHaveLength(1)
      })

      it('lets a watcher write from its callback', async () => {
        const echoed: Promise<number>[] = []
        const watch = store.watch({
          prefix: '/in/',
          fromRevision: 2,
          onEvents: (events) => {
            for (const { key, revision } of events) echoed.push(put(store, `/out${key}`, String(revision)))
          },
        })
        const seen = new Collector(store, '/', 2)
        await create(store, '/in/a')
        await create(store, '/in/b')
        const last = Math.max(...(await Promise.all(echoed)))
        await seen.reached(last)
        watch.close()
        const revisions = seen.events.map(({ revision }) => revision)
        expect(revisions).toEqual([2, 3, 4, 5])
        expect(store.count('/out/in/')).toBe(2)
      })

      it('reports progress when other keys change', async () => {
        const seen = new Collector(store, '/quiet/', 2)
        const last = await create(store, '/noise')
        await seen.reached(last)
        expect(seen.events).toEqual([])
      })
    })

    describe('compacting', () => {
      it('forgets what is older, keeps the state at the revision and every event from it on', async () => {
        await create(store, '/a', '1')
        await create(store, '/gone', '1')
        await remove(store, '/gone')
        const kept = await put(store, '/a', '2')
        await put(store, '/a', '3')
        await store.compact(kept)
        expect(store.compactRevision).toBe(kept)
        await expect(store.rangeAt({ prefix: '/', atRevision: kept - 1 })).rejects.toThrow(CompactedError)
        expect(() => new Collector(store, '/', kept - 1)).toThrow(CompactedError)
        const then = await store.rangeAt({ prefix: '/', atRevision: kept })
        expect(then.entries.map(({ key, value }) => key + value)).toEqual(['/a2'])
        const seen = new Collector(store, '/', kept)
        await seen.reached(store.revision)
        expect(seen.summary()).toEqual([`${String(kept)} put /a=2`, `${String(kept + 1)} put /a=3`])
        expect(seen.events[0]?.previous?.value).toBe('1')
      })

      it('refuses the future and ignores the past', async () => {
        const last = await create(store, '/a')
        await expect(store.compact(last + 1)).rejects.toThrow(FutureRevisionError)
        await store.compact(last)
        await store.compact(1)
        expect(store.compactRevision).toBe(last)
      })

      it('keeps the revision when everything was deleted', async () => {
        await create(store, '/a')
        const last = await remove(store, '/a')
        await store.compact(last)
        expect(store.revision).toBe(last)
        expect(await create(store, '/b')).toBe(last + 1)
      })
    })

    describe('ending', () => {
      it('refuses everything after close', async () => {
        await store.close()
        expect(() => store.get('/a')).toThrow(ClosedError)
        expect(() => new Collector(store, '/', 1)).toThrow(ClosedError)
        await expect(store.txn([], [])).rejects.toThrow(ClosedError)
        await store.close()
      })

      it('finishes what was submitted before close', async () => {
        const writes = Array.from({ length: 10 }, (_, index) => create(store, `/k${String(index)}`))
        await store.close()
        await expect(Promise.all(writes)).resolves.toHaveLength(10)
      })
    })
  })
}
