import { describe, expect, it } from 'vitest'
import { appendLogLines, highlightPieces, parseLogLine, searchLog, type LogLine } from './log-lines.ts'

const line = (id: number, text: string): LogLine => ({ id, time: '', text })

describe('parseLogLine', () => {
  it('takes the timestamp apart', () => {
    expect(parseLogLine(1, '2026-11-22T10:11:12.123456789Z hello world')).toEqual({
      id: 1,
      time: '2026-11-22T10:11:12.123456789Z',
      text: 'hello world',
    })
  })
  it('leaves a line without one alone, and drops colours', () => {
    expect(parseLogLine(2, '\u001b[31mERROR\u001b[0m no time')).toEqual({ id: 2, time: '', text: 'ERROR no time' })
  })
  it('reads an empty line', () => {
    expect(parseLogLine(3, '2026-11-22T10:11:12Z')).toEqual({ id: 3, time: '2026-11-22T10:11:12Z', text: '' })
  })
})

it('keeps the newest lines', () => {
  const lines = [line(1, 'a'), line(2, 'b')]
  appendLogLines(lines, [line(3, 'c'), line(4, 'd')], 3)
  expect(lines.map((one) => one.id)).toEqual([2, 3, 4])
})

describe('search', () => {
  const lines = [line(1, 'GET /a'), line(2, 'error: Timeout'), line(3, 'ERROR again')]
  it('ignores case unless the query has a capital', () => {
    expect(searchLog(lines, 'error')).toEqual([1, 2])
    expect(searchLog(lines, 'ERROR')).toEqual([2])
    expect(searchLog(lines, '')).toEqual([])
  })
  it('cuts a line at every hit and loses nothing', () => {
    const pieces = highlightPieces('aXbxc', 'x')
    expect(pieces).toEqual([
      { text: 'a', hit: false },
      { text: 'X', hit: true },
      { text: 'b', hit: false },
      { text: 'x', hit: true },
      { text: 'c', hit: false },
    ])
    expect(highlightPieces('', 'x')).toEqual([{ text: '', hit: false }])
  })
})
