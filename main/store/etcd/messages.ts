// The messages of etcd's API that the store speaks, with the fields it needs of them.
// Source: etcd api/etcdserverpb/rpc.proto and api/mvccpb/kv.proto, version 3.5 (the numbers are fixed for good).
import { readFields, WireWriter } from './wire.ts'

export interface KeyValue {
  key: string
  value: string
  createRevision: number
  modRevision: number
  version: number
}

/** Keys from `key` up to, not including, `rangeEnd`; one key without it. */
export interface KeyRange {
  key: Buffer
  rangeEnd?: Buffer | undefined
}

export interface RangeRequest extends KeyRange {
  limit?: number
  /** 0: the newest. */
  revision?: number
}

export interface RangeResponse {
  revision: number
  entries: KeyValue[]
  /** Of all keys in the range, whatever the limit. */
  count: number
}

export interface TxnRequest {
  compare: readonly { key: Buffer; modRevision: number }[]
  success: readonly ({ put: Buffer; value: Buffer } | { delete: Buffer })[]
  /** Read when a compare fails. */
  failure: readonly Buffer[]
}

export interface TxnResponse {
  revision: number
  succeeded: boolean
  /** Per operation: what a put or delete replaced, or what a read found. */
  entries: (KeyValue | undefined)[]
}

export interface WatchEvent {
  deleted: boolean
  entry: KeyValue
}

export interface WatchResponse {
  revision: number
  canceled: boolean
  compactRevision: number
  cancelReason: string
  events: WatchEvent[]
}

export const encodeRange = ({ key, rangeEnd, limit = 0, revision = 0 }: RangeRequest): Buffer =>
  new WireWriter()
    .bytes(1, key)
    .bytes(2, rangeEnd ?? Buffer.alloc(0))
    .integer(3, limit)
    .integer(4, revision)
    .finish()

export function decodeRange(bytes: Buffer): RangeResponse {
  const response: RangeResponse = { revision: 0, entries: [], count: 0 }
  readFields(bytes, {
    integer: (field, value) => {
      if (field === 4) response.count = value
    },
    bytes: (field, value) => {
      if (field === 1) response.revision = decodeRevision(value)
      else if (field === 2) response.entries.push(decodeKeyValue(value))
    },
  })
  return response
}

export function encodeTxn({ compare, success, failure }: TxnRequest): Buffer {
  const writer = new WireWriter()
  // result 0: equal, target 2: the revision of the last change. A oneof's member is written even when it is 0.
  for (const { key, modRevision } of compare) {
    const revision = modRevision === 0 ? Buffer.from([6 * 8, 0]) : new WireWriter().integer(6, modRevision).finish()
    writer.message(1, Buffer.concat([new WireWriter().integer(2, 2).bytes(3, key).finish(), revision]))
  }
  for (const operation of success) {
    const request = new WireWriter()
    if ('put' in operation)
      request.message(2, new WireWriter().bytes(1, operation.put).bytes(2, operation.value).flag(4, true).finish())
    else request.message(3, new WireWriter().bytes(1, operation.delete).flag(3, true).finish())
    writer.message(2, request.finish())
  }
  for (const key of failure) writer.message(3, new WireWriter().message(1, encodeRange({ key })).finish())
  return writer.finish()
}

export function decodeTxn(bytes: Buffer): TxnResponse {
  const response: TxnResponse = { revision: 0, succeeded: false, entries: [] }
  readFields(bytes, {
    integer: (field, value) => {
      if (field === 2) response.succeeded = value !== 0
    },
    bytes: (field, value) => {
      if (field === 1) response.revision = decodeRevision(value)
      else if (field === 3) response.entries.push(decodeOperation(value))
    },
  })
  return response
}

/** A range's first key (2 of response 1), a put's previous (2 of 2), a delete's previous (3 of 3). */
function decodeOperation(bytes: Buffer): KeyValue | undefined {
  let entry: KeyValue | undefined
  readFields(bytes, {
    bytes: (operation, response) => {
      readFields(response, {
        bytes: (field, value) => {
          if (field === (operation === 3 ? 3 : 2)) entry ??= decodeKeyValue(value)
        },
      })
    },
  })
  return entry
}

export const encodeWatch = ({ key, rangeEnd, fromRevision }: KeyRange & { fromRevision: number }): Buffer =>
  new WireWriter()
    .message(
      1,
      new WireWriter()
        .bytes(1, key)
        .bytes(2, rangeEnd ?? Buffer.alloc(0))
        .integer(3, fromRevision)
        .finish(),
    )
    .finish()

export function decodeWatch(bytes: Buffer): WatchResponse {
  const response: WatchResponse = { revision: 0, canceled: false, compactRevision: 0, cancelReason: '', events: [] }
  readFields(bytes, {
    integer: (field, value) => {
      if (field === 4) response.canceled = value !== 0
      else if (field === 5) response.compactRevision = value
    },
    bytes: (field, value) => {
      if (field === 1) response.revision = decodeRevision(value)
      else if (field === 6) response.cancelReason = value.toString()
      else if (field === 11) response.events.push(decodeEvent(value))
    },
  })
  return response
}

function decodeEvent(bytes: Buffer): WatchEvent {
  let deleted = false
  let entry = noKeyValue
  readFields(bytes, {
    integer: (field, value) => {
      if (field === 1) deleted = value === 1
    },
    bytes: (field, value) => {
      if (field === 2) entry = decodeKeyValue(value)
    },
  })
  return { deleted, entry }
}

export const encodeCompaction = (revision: number): Buffer => new WireWriter().integer(1, revision).finish()

/** A piece of a snapshot stream. */
export function decodeSnapshot(bytes: Buffer): Buffer {
  let blob = Buffer.alloc(0)
  readFields(bytes, {
    bytes: (field, value) => {
      if (field === 3) blob = Buffer.from(value)
    },
  })
  return blob
}

const noKeyValue: KeyValue = { key: '', value: '', createRevision: 0, modRevision: 0, version: 0 }

function decodeKeyValue(bytes: Buffer): KeyValue {
  const entry = { ...noKeyValue }
  readFields(bytes, {
    integer: (field, value) => {
      if (field === 2) entry.createRevision = value
      else if (field === 3) entry.modRevision = value
      else if (field === 4) entry.version = value
    },
    bytes: (field, value) => {
      if (field === 1) entry.key = value.toString()
      else if (field === 5) entry.value = value.toString()
    },
  })
  return entry
}

/** Of a response header. */
function decodeRevision(bytes: Buffer): number {
  let revision = 0
  readFields(bytes, {
    integer: (field, value) => {
      if (field === 3) revision = value
    },
  })
  return revision
}
