// What every kind must hold, run by each kind's own test: its schema, defaults, doors and columns fit together.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Facts } from '../../common/api/facts.ts'
import type { KubeObject } from '../../common/machinery/meta.ts'
import { createDecoder } from '../../common/machinery/schema/decode.ts'
import { mergeDefinitions } from '../../common/machinery/schema/definitions.ts'
import type { KindDefinition } from './kind.ts'
import { cloneJson } from './strategy.ts'
import { createObject, newTestContext, updateObject, type Manifest } from './testing/lifecycle.ts'

const factsFile = new URL('../../common/api/generated/facts.json', import.meta.url)
const facts = JSON.parse(readFileSync(factsFile, 'utf8')) as Facts

export interface KindFixtures {
  /** Valid manifests as clients write them, without what the server fills in; the fuller the better. */
  readonly valid: readonly Manifest[]
}

export function runKindContract<T extends KubeObject>(kind: KindDefinition<T>, { valid }: KindFixtures): void {
  const { root, definitions } =
    typeof kind.schema === 'string'
      ? { root: kind.schema, definitions: facts.definitions }
      : { root: kind.schema.root, definitions: mergeDefinitions(kind.schema.definitions, facts.definitions) }
  const decoder = createDecoder(definitions)
  const now = new Date('2031-01-01T00:00:00Z')
  const empty = (): T => ({ apiVersion: 'x', kind: kind.kind, metadata: { name: 'empty' } }) as unknown as T

  describe(`${kind.group === '' ? 'core' : kind.group} ${kind.kind}`, () => {
    it.each(valid)('accepts the valid manifest %#', (manifest) => {
      expect(decoder.decode(root, { ...manifest }).unknown).toEqual([])
      expect(createObject(kind, manifest).errors).toEqual([])
    })

    it.each(valid)('sets defaults that its schema knows, and the same ones again (%#)', (manifest) => {
      const { object } = createObject(kind, manifest)
      const decoded = decoder.decode(root, cloneJson(object))
      expect(decoded.unknown).toEqual([])
      const again = cloneJson(object)
      kind.setDefaults?.(again, newTestContext())
      expect(again).toEqual(object)
    })

    it.each(valid)('takes an unchanged object through every door without errors or changes (%#)', (manifest) => {
      const { object } = createObject(kind, manifest)
      const doors = ['', ...(kind.status === undefined ? [] : ['status']), ...Object.keys(kind.subresources ?? {})]
      for (const door of doors) {
        const updated = updateObject(kind, object, () => undefined, { door })
        expect({ door, errors: updated.errors }).toEqual({ door, errors: [] })
        expect(updated.object).toEqual({ ...object, metadata: { ...object.metadata, resourceVersion: '7' } })
      }
    })

    it('keeps status and the rest apart', () => {
      if (kind.status === undefined) return
      const { object } = createObject(kind, valid[0] ?? {})
      const bare = (value: T): Record<string, unknown> => ({ ...value, metadata: undefined })
      const main = updateObject(kind, object, (changed) => {
        Object.assign(changed, { status: { conditions: [{ type: 'Odd', status: 'True' }] } })
      })
      expect(bare(main.object).status).toEqual(bare(object).status)
      const status = updateObject(
        kind,
        object,
        (changed) => {
          Object.assign(changed, { spec: {} })
        },
        { door: 'status' },
      )
      expect({ ...bare(status.object), status: undefined }).toEqual({ ...bare(object), status: undefined })
    })

    it('answers for an object with nothing in it instead of failing', () => {
      for (const body of [{}, { spec: {}, status: {} }]) {
        const object = { ...empty(), ...body }
        expect(() => createObject(kind, body as Manifest)).not.toThrow()
        expect(() => kind.selectableFields?.(object)).not.toThrow()
        expect(() => kind.gracePeriodSeconds?.(object, undefined)).not.toThrow()
        expect(() => kind.deletionBlocked?.(object)).not.toThrow()
        expect(() => kind.warnings?.(object, undefined)).not.toThrow()
        for (const [field, value] of Object.entries(kind.selectableFields?.(object) ?? {})) {
          expect([field, typeof value]).toEqual([field, 'string'])
        }
      }
    })

    it('shows columns with unique names and plain cells, even of an empty object', () => {
      const columns = kind.columns ?? []
      expect(new Set(columns.map(({ name }) => name)).size).toBe(columns.length)
      const objects = [
        empty(),
        { ...empty(), spec: {}, status: {} },
        ...valid.map((manifest) => createObject(kind, manifest).object),
      ]
      for (const object of objects) {
        for (const column of columns) {
          const cell = column.cell(object, now)
          expect([column.name, cell === null || ['string', 'number', 'boolean'].includes(typeof cell)]).toEqual([
            column.name,
            true,
          ])
          expect(String(cell)).not.toMatch(/undefined|NaN|\[object/)
        }
      }
    })

    it('survives the trip to its stored form', () => {
      if (kind.storedAs === undefined) return
      for (const manifest of valid) {
        const { object } = createObject(kind, manifest)
        expect(kind.storedAs.fromStored(kind.storedAs.toStored(cloneJson(object)))).toEqual(object)
      }
    })
  })
}
