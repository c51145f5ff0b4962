import { describe, expect, it } from 'vitest'
import { sortRows, type TableColumn } from './table.ts'

interface Row {
  name: string
  count: number
  made: number
}
const columns: TableColumn<Row>[] = [
  { id: 'name', title: 'Name', track: '1fr', text: (row) => row.name },
  { id: 'count', title: 'Count', track: '1fr', text: (row) => row.count },
  { id: 'age', title: 'Age', track: '1fr', time: (row) => row.made },
  { id: 'state', title: 'State', track: '1fr', state: (row) => ({ tone: row.count > 5 ? 'bad' : 'ok', label: 'x' }) },
]
const rows: Row[] = [
  { name: 'node-10', count: 9, made: 30 },
  { name: 'node-2', count: 10, made: 10 },
  { name: 'node-1', count: 2, made: 20 },
]
const order = (column: string, descending = false): string[] =>
  sortRows(rows, columns, { column, descending }).map((row) => row.name)

describe('sortRows', () => {
  it('sorts names with their numbers', () => {
    expect(order('name')).toEqual(['node-1', 'node-2', 'node-10'])
    expect(order('name', true)).toEqual(['node-10', 'node-2', 'node-1'])
  })
  it('sorts numbers as numbers', () => {
    expect(order('count')).toEqual(['node-1', 'node-10', 'node-2'])
  })
  it('puts the youngest first', () => {
    expect(order('age')).toEqual(['node-10', 'node-1', 'node-2'])
  })
  it('puts the worst state first and keeps ties in order', () => {
    expect(order('state')).toEqual(['node-10', 'node-2', 'node-1'])
  })
  it('leaves rows alone for an unknown column', () => {
    expect(order('none')).toEqual(rows.map((row) => row.name))
  })
})
