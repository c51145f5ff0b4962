// The commit log's format: a header with the id of the database it belongs to, then one record per batch of rows.
// A record counts when its checksum holds and its first revision follows the record before it: whatever an earlier use of the file
// left behind is older, so nothing needs to be erased.
import { crc32 } from 'node:zlib'
import type { Rows } from './protocol.ts'
import { revisionOfId, rowWidth } from './protocol.ts'

const magic = Buffer.from('ORRYLOG1')
/** Records begin on a page of their own, so that the header is never written again. */
export const recordsStart = 4096
/** Length and checksum of the payload. */
const recordHeaderBytes = 8
/** Id, create revision, version (64-bit floats, exact as they are safe integers), bytes of key and of value. */
const rowHeaderBytes = 32
const deleted = 0xffffffff

export function encodeHeader(id: number): Buffer {
  const bytes = Buffer.alloc(recordsStart)
  magic.copy(bytes)
  bytes.writeDoubleLE(id, magic.length)
  return bytes
}

/** The most bytes that the record of these rows can take. */
export function recordBound(rows: Rows): number {
  let characters = 0
  for (let at = 0; at < rows.length; at += rowWidth) {
    characters += (rows[at + 1] as string).length + ((rows[at + 2] as string | null)?.length ?? 0)
  }
  // UTF-8 takes three bytes at most for one UTF-16 unit.
  return recordHeaderBytes + (rows.length / rowWidth) * rowHeaderBytes + characters * 3
}

/** Writes the record of these rows to the beginning of `into`, which has room for it; returns its length in bytes. */
export function encodeRecord(rows: Rows, into: Buffer): number {
  let at = recordHeaderBytes
  for (let row = 0; row < rows.length; row += rowWidth) {
    const value = rows[row + 2] as string | null
    const keyBytes = into.write(rows[row + 1] as string, at + rowHeaderBytes)
    const valueBytes = value === null ? 0 : into.write(value, at + rowHeaderBytes + keyBytes)
    into.writeDoubleLE(rows[row] as number, at)
    into.writeDoubleLE(rows[row + 3] as number, at + 8)
    into.writeDoubleLE(rows[row + 4] as number, at + 16)
    into.writeUInt32LE(keyBytes, at + 24)
    into.writeUInt32LE(value === null ? deleted : valueBytes, at + 28)
    at += rowHeaderBytes + keyBytes + valueBytes
  }
  into.writeUInt32LE(at - recordHeaderBytes, 0)
  into.writeUInt32LE(crc32(into.subarray(recordHeaderBytes, at)), 4)
  return at
}

/** Id of the database that the log belongs to; undefined when this is no log. */
export function logIdOf(bytes: Buffer): number | undefined {
  return bytes.length >= recordsStart && bytes.subarray(0, magic.length).equals(magic)
    ? bytes.readDoubleLE(magic.length)
    : undefined
}

/** The rows of all records that count, oldest first. */
export function* recordsOf(bytes: Buffer): Generator<Rows> {
  let at = recordsStart
  let newest: number | undefined
  while (at + recordHeaderBytes <= bytes.length) {
    const length = bytes.readUInt32LE(at)
    const end = at + recordHeaderBytes + length
    if (length === 0 || end > bytes.length) return
    const payload = bytes.subarray(at + recordHeaderBytes, end)
    if (crc32(payload) !== bytes.readUInt32LE(at + 4)) return
    const rows = decodeRows(payload)
    const revisionAt = (index: number): number => revisionOfId(rows[index] as number)
    if (newest !== undefined && revisionAt(0) !== newest + 1) return
    newest = revisionAt(rows.length - rowWidth)
    yield rows
    at = end
  }
}

function decodeRows(payload: Buffer): Rows {
  const rows: Rows = []
  for (let at = 0; at < payload.length;) {
    const keyEnd = at + rowHeaderBytes + payload.readUInt32LE(at + 24)
    const valueBytes = payload.readUInt32LE(at + 28)
    const end = valueBytes === deleted ? keyEnd : keyEnd + valueBytes
    rows.push(
      payload.readDoubleLE(at),
      payload.toString('utf8', at + rowHeaderBytes, keyEnd),
      valueBytes === deleted ? null : payload.toString('utf8', keyEnd, end),
      payload.readDoubleLE(at + 8),
      payload.readDoubleLE(at + 16),
    )
    at = end
  }
  return rows
}
