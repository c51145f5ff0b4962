import { expect, it } from 'vitest'
import { encodeHeader, encodeRecord, logIdOf, recordBound, recordsOf, recordsStart } from './log-records.ts'
import type { Rows } from './protocol.ts'
import { firstIdOf } from './protocol.ts'

const batch = (revision: number, value: string | null = `"${String(revision)}"`): Rows => [
  firstIdOf(revision),
  `/k${String(revision)}`,
  value,
  revision,
  1,
]

function logOf(...batches: Rows[]): Buffer {
  const log = Buffer.alloc(1 << 16)
  encodeHeader(7).copy(log)
  let at = recordsStart
  for (const rows of batches) at += encodeRecord(rows, log.subarray(at))
  return log
}

it('reads back what was written: text of any kind, deletions, several rows of a revision', () => {
  const rows: Rows = [
    ...batch(2, JSON.stringify({ text: 'äöü 🙂 \u0000 \u2028' })),
    ...batch(3, null),
    ...[firstIdOf(4), '/ü/🙂', '', 4, 1],
    ...[firstIdOf(4) + 1, '/b', '"x"', 2, Number.MAX_SAFE_INTEGER],
  ]
  const log = logOf(rows, batch(5))
  expect(logIdOf(log)).toBe(7)
  expect([...recordsOf(log)]).toEqual([rows, batch(5)])
  expect(recordBound(rows)).toBeGreaterThanOrEqual(encodeRecord(rows, Buffer.alloc(1 << 12)))
})

it('does not take older records behind the newest for newer ones', () => {
  const log = logOf(batch(2), batch(3), batch(4))
  encodeRecord(batch(5), log.subarray(recordsStart))
  expect([...recordsOf(log)]).toEqual([batch(5)])
})

it('ends where a record is damaged or cut', () => {
  const log = logOf(batch(2), batch(3))
  const first = encodeRecord(batch(2), Buffer.alloc(1 << 12))
  for (let length = 0; length <= recordsStart + first * 2; length += 1) {
    const whole = Math.max(0, Math.floor((length - recordsStart) / first))
    expect([...recordsOf(log.subarray(0, length))]).toEqual([batch(2), batch(3)].slice(0, whole))
  }
  for (let at = 0; at < first; at += 1) {
    const damaged = Buffer.from(log)
    damaged[recordsStart + at] = (damaged[recordsStart + at] ?? 0) ^ 0x10
    expect([...recordsOf(damaged)]).toEqual([])
  }
  expect(logIdOf(Buffer.alloc(recordsStart))).toBeUndefined()
  expect(logIdOf(log.subarray(0, 16))).toBeUndefined()
})
