// Columns of a data table and how rows are ordered.
import type { State } from '../explain/tone.ts'

export interface TableColumn<T> {
  id: string
  title: string
  /** CSS grid track: "120px", "minmax(160px, 2fr)". */
  track: string
  /** Hidden while the table is narrower than this, px. */
  minTableWidth?: number
  align?: 'end'
  mono?: boolean
  /** What the cell shows and what it sorts by unless `sort` is given. */
  text?: (row: T) => string | number
  sort?: (row: T) => string | number
  state?: (row: T) => State
  /** Milliseconds since epoch; shown as an age. */
  time?: (row: T) => number
  badge?: (row: T) => string
}

export interface Sorting {
  column: string
  descending: boolean
}

const order = new Intl.Collator('en', { numeric: true, sensitivity: 'base' })

const toneOrder = { bad: 0, warn: 1, busy: 2, ok: 3, done: 4, idle: 5 } as const

/** Rows in a new array, stable, ties in the given order. Ages sort youngest first when ascending, states worst first. */
export function sortRows<T>(rows: readonly T[], columns: readonly TableColumn<T>[], sorting: Sorting): T[] {
  const column = columns.find((one) => one.id === sorting.column)
  if (column === undefined) return [...rows]
  const key = sortKey(column)
  const sign = sorting.descending ? -1 : 1
  return rows
    .map((row, index) => ({ row, index, key: key(row) }))
    .sort((a, b) => sign * compareKeys(a.key, b.key) || a.index - b.index)
    .map((entry) => entry.row)
}

function sortKey<T>(column: TableColumn<T>): (row: T) => string | number {
  const { sort, time, state, text, badge } = column
  if (sort !== undefined) return sort
  if (time !== undefined) return (row) => -time(row)
  if (state !== undefined) {
    return (row) => {
      const { tone, label } = state(row)
      return `${String(toneOrder[tone])}${label}`
    }
  }
  return text ?? badge ?? (() => '')
}

export function compareKeys(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return order.compare(String(a), String(b))
}
