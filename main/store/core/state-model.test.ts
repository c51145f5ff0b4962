// Random histories against a naive model: every read, at every revision still kept, must agree.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../memory/index.ts'
import { openSqliteStore } from '../sqlite/index.ts'
import { Collector } from '../store-contract.ts'
import type { Compare, Operation, Store, StoreEntry } from '../store.ts'
import { SortedKeys } from './sorted-keys.ts'

type State = ReadonlyMap<string, StoreEntry>

/** The whole history, copied at each revision: obviously right, and slow. */
class Model {
  readonly states: State[] = [new Map(), new Map()]

  get revision(): number {
    return this.states.length - 1
  }

  at(revision: number): State {
    return this.states[revision] as State
  }

  txn(compare: readonly Compare[], operations: readonly Operation[]): boolean {
    const now = this.at(this.revision)
    if (!compare.every(({ key, modRevision }) => (now.get(key)?.modRevision ?? 0) === modRevision)) return false
    const next = new Map(now)
    const revision = this.revision + 1
    let changed = false
    for (const operation of operations) {
      if ('delete' in operation) {
        changed = next.delete(operation.delete) || changed
        continue
      }
      const old = next.get(operation.put)
      changed = true
      next.set(operation.put, {
        key: operation.put,
        value: operation.value,
        createRevision: old?.createRevision ?? revision,
        modRevision: revision,
        version: (old?.version ?? 0) + 1,
      })
    }
    if (changed) this.states.push(next)
    return true
  }

  range(
    revision: number,
    prefix: string,
    startAfter: string,
    limit: number,
  ): { entries: StoreEntry[]; remaining: number } {
    const matching = [...this.at(revision).values()]
      .filter(({ key }) => key.startsWith(prefix) && key > startAfter)
      .sort((a, b) => (a.key < b.key ? -1 : 1))
    return { entries: matching.slice(0, limit), remaining: Math.max(0, matching.length - limit) }
  }
}

const key = fc.constantFrom('/a', '/a/1', '/a/2', '/b/1', '/b/10', '/b/2', '/c', '/\u{1f600}', '/\uffee')
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ put: key, value: fc.string({ maxLength: 3 }) }),
  fc.record({ delete: key }),
)
const keyOf = (each: Operation): string => ('put' in each ? each.put : each.delete)
const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('txn' as const),
      /** Which key is compared, and whether with its true revision. */
      compare: fc.option(fc.record({ key, right: fc.boolean() }), { nil: undefined }),
      operations: fc.uniqueArray(operation, { selector: keyOf, minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact' as const), back: fc.nat(5) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      back: fc.nat(8),
      prefix: fc.constantFrom('', '/', '/a', '/a/', '/b/1', '/\ud83d'),
      startAfter: fc.constantFrom('', '/a', '/a/1', '/b/11'),
      limit: fc.integer({ min: 1, max: 6 }),
    }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

async function runSteps(store: Store, steps: readonly Step[]): Promise<void> {
  const model = new Model()
  const everything = new Collector(store, '', 2)
  for (const one of steps) {
    if (one.kind === 'txn') {
      const current = one.compare === undefined ? 0 : (model.at(model.revision).get(one.compare.key)?.modRevision ?? 0)
      const compare =
        one.compare === undefined
          ? []
          : [{ key: one.compare.key, modRevision: one.compare.right ? current : current + 1 }]
      const result = await store.txn(compare, one.operations)
      expect(result.succeeded).toBe(model.txn(compare, one.operations))
      expect(store.revision).toBe(model.revision)
    } else if (one.kind === 'compact') {
      await store.compact(Math.max(1, model.revision - one.back))
    } else {
      const atRevision = model.revision - one.back
      const { prefix, startAfter, limit } = one
      if (atRevision < store.compactRevision) continue
      const expected = model.range(atRevision, prefix, startAfter, limit)
      expect(await store.rangeAt({ prefix, startAfter, limit, atRevision })).toEqual({
        ...expected,
        revision: atRevision,
      })
    }
  }
  const now = model.range(model.revision, '', '', Number.POSITIVE_INFINITY)
  expect(store.range({ prefix: '' })).toEqual({ ...now, revision: model.revision })
  expect(store.count('/a')).toBe(model.range(model.revision, '/a', '', Number.POSITIVE_INFINITY).entries.length)

  // The live watch, and one that replays from what is left, both lead from their start to the present state.
  const late = new Collector(store, '', Math.max(2, store.compactRevision))
  for (const [collector, from] of [
    [everything, 1],
    [late, Math.max(1, store.compactRevision - 1)],
  ] as const) {
    if (model.revision > 1) await collector.reached(model.revision)
    const state = new Map(model.at(from))
    for (const { type, key: changed, entry, previous } of collector.events) {
      expect(previous).toEqual(state.get(changed))
      if (type === 'put') state.set(changed, entry)
      else state.delete(changed)
    }
    expect(state).toEqual(model.at(model.revision))
    collector.close()
  }
}

// Each run opens databases and waits for the disk: slow on a busy one.
describe('random histories', { timeout: 300_000 }, () => {
  it('agree with the model in memory', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const store = createMemoryStore()
        await runSteps(store, steps)
        await store.close()
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    ['with a window', undefined],
    ['without one', { maxEvents: 2, maxCharacters: 5 }],
  ])('agree with the model in sqlite, %s, also after opening again', async (_, window) => {
    const directory = await mkdtemp(join(tmpdir(), 'orrery-model-'))
    let run = 0
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
          run += 1
          const file = join(directory, `${String(run)}.db`)
          const store = await openSqliteStore({ file, window, commitLogAtOnce: run % 2 === 0 })
          await runSteps(store, steps)
          const before = store.range({ prefix: '' })
          const compactRevision = store.compactRevision
          await store.close()
          const again = await openSqliteStore({ file, window })
          expect(again.range({ prefix: '' })).toEqual(before)
          expect(again.compactRevision).toBe(compactRevision)
          await again.close()
        }),
        { numRuns: 15, endOnFailure: true },
      )
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
})

describe('sorted keys', () => {
  it('agree with a sorted array, across chunk boundaries', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ key: fc.integer({ min: 0, max: 3000 }).map(String), add: fc.boolean() }), {
          minLength: 1500,
          maxLength: 3000,
          size: 'max',
        }),
        fc.integer({ min: 0, max: 3000 }).map(String),
        fc.integer({ min: 0, max: 3000 }).map(String),
        (changes, from, to) => {
          const keys = new SortedKeys()
          const expected = new Set<string>()
          for (const change of changes) {
            if (!change.add) {
              keys.delete(change.key)
              expected.delete(change.key)
            } else if (!expected.has(change.key)) {
              keys.add(change.key)
              expected.add(change.key)
            }
          }
          const sorted = [...expected].sort()
          expect(keys.size).toBe(sorted.length)
          expect(keys.between('', undefined)).toEqual(sorted)
          const inside = sorted.filter((key) => key >= from && key < to)
          expect(keys.between(from, to)).toEqual(inside)
          expect(keys.countBetween(from, to)).toBe(inside.length)
        },
      ),
      { numRuns: 30 },
    )
  })
})
