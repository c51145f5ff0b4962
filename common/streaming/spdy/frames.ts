// SPDY/3.1 frames (draft-mbelshe-httpbis-spdy-00 and its 3.1 update), to bytes and back. Header blocks stay compressed here.

export type SpdyFrame =
  | { type: 'data'; streamId: number; fin: boolean; payload: Uint8Array }
  | {
      type: 'syn-stream'
      streamId: number
      fin: boolean
      unidirectional: boolean
      priority: number
      headerBlock: Uint8Array
    }
  | { type: 'syn-reply'; streamId: number; fin: boolean; headerBlock: Uint8Array }
  | { type: 'headers'; streamId: number; fin: boolean; headerBlock: Uint8Array }
  | { type: 'rst-stream'; streamId: number; status: number }
  | { type: 'ping'; id: number }
  | { type: 'goaway'; lastStreamId: number; status: number }
  | { type: 'window-update'; streamId: number; delta: number }
  /** Settings, and anything newer: nothing here depends on them. */
  | { type: 'ignored'; controlType: number }

const version = 3
const flagFin = 1
const flagUnidirectional = 2
const idMask = 0x7fffffff
const control = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  headers: 8,
  windowUpdate: 9,
} as const

export const rstStatus = { protocolError: 1, invalidStream: 2, refusedStream: 3, cancel: 5, internalError: 6 } as const

export class SpdyProtocolError extends Error {
  override readonly name = 'SpdyProtocolError'
}

export function encodeFrame(frame: Exclude<SpdyFrame, { type: 'ignored' }>): Uint8Array<ArrayBuffer> {
  switch (frame.type) {
    case 'data': {
      const bytes = new Uint8Array(8 + frame.payload.length)
      const view = new DataView(bytes.buffer)
      view.setUint32(0, frame.streamId & idMask)
      view.setUint32(4, frame.payload.length)
      view.setUint8(4, frame.fin ? flagFin : 0)
      bytes.set(frame.payload, 8)
      return bytes
    }
    case 'syn-stream': {
      const flags = (frame.fin ? flagFin : 0) | (frame.unidirectional ? flagUnidirectional : 0)
      return controlFrame(
        control.synStream,
        flags,
        [frame.streamId, 0],
        frame.headerBlock,
        new Uint8Array([frame.priority << 5, 0]),
      )
    }
    case 'syn-reply':
      return controlFrame(control.synReply, frame.fin ? flagFin : 0, [frame.streamId], frame.headerBlock)
    case 'headers':
      return controlFrame(control.headers, frame.fin ? flagFin : 0, [frame.streamId], frame.headerBlock)
    case 'rst-stream':
      return controlFrame(control.rstStream, 0, [frame.streamId, frame.status])
    case 'ping':
      return controlFrame(control.ping, 0, [frame.id])
    case 'goaway':
      return controlFrame(control.goaway, 0, [frame.lastStreamId, frame.status])
    case 'window-update':
      return controlFrame(control.windowUpdate, 0, [frame.streamId, frame.delta])
  }
}

function controlFrame(
  type: number,
  flags: number,
  numbers: readonly number[],
  tail: Uint8Array = new Uint8Array(0),
  between: Uint8Array = new Uint8Array(0),
): Uint8Array<ArrayBuffer> {
  const length = numbers.length * 4 + between.length + tail.length
  const bytes = new Uint8Array(8 + length)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 0x8000 | version)
  view.setUint16(2, type)
  view.setUint32(4, length)
  view.setUint8(4, flags)
  let offset = 8
  for (const number of numbers) {
    view.setUint32(offset, number)
    offset += 4
  }
  bytes.set(between, offset)
  bytes.set(tail, offset + between.length)
  return bytes
}

/** Cuts a byte stream into frames, however it arrives. */
export class FrameDecoder {
  readonly #maxPayload: number
  #buffer: Uint8Array = new Uint8Array(0)

  constructor(options: { maxPayload?: number } = {}) {
    this.#maxPayload = options.maxPayload ?? 1 << 20
  }

  /** Complete frames so far; payloads may share memory with `chunk`. Throws SpdyProtocolError. */
  push(chunk: Uint8Array): SpdyFrame[] {
    const bytes = this.#buffer.length === 0 ? chunk : concat(this.#buffer, chunk)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const frames: SpdyFrame[] = []
    let offset = 0
    while (bytes.length - offset >= 8) {
      const length = view.getUint32(offset + 4) & 0xffffff
      if (length > this.#maxPayload) throw new SpdyProtocolError(`SPDY frame of ${String(length)} bytes`)
      if (bytes.length - offset - 8 < length) break
      frames.push(decodeFrame(view, bytes.subarray(offset + 8, offset + 8 + length), offset))
      offset += 8 + length
    }
    this.#buffer = offset === bytes.length ? new Uint8Array(0) : bytes.slice(offset)
    return frames
  }
}

function decodeFrame(view: DataView, payload: Uint8Array, offset: number): SpdyFrame {
  const first = view.getUint32(offset)
  const flags = view.getUint8(offset + 4)
  const fin = (flags & flagFin) !== 0
  if (first >>> 31 === 0) return { type: 'data', streamId: first & idMask, fin, payload }
  if (((first >>> 16) & 0x7fff) !== version)
    throw new SpdyProtocolError(`SPDY version ${String((first >>> 16) & 0x7fff)}`)
  const type = first & 0xffff
  const body = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const number = (index: number): number => {
    if (payload.length < index * 4 + 4) throw new SpdyProtocolError(`SPDY control frame ${String(type)} is too short`)
    return body.getUint32(index * 4)
  }
  switch (type) {
    case control.synStream:
      if (payload.length < 10) throw new SpdyProtocolError('SYN_STREAM is too short')
      return {
        type: 'syn-stream',
        streamId: number(0) & idMask,
        fin,
        unidirectional: (flags & flagUnidirectional) !== 0,
        priority: body.getUint8(8) >> 5,
        headerBlock: payload.subarray(10),
      }
    case control.synReply:
      return { type: 'syn-reply', streamId: number(0) & idMask, fin, headerBlock: payload.subarray(4) }
    case control.headers:
      return { type: 'headers', streamId: number(0) & idMask, fin, headerBlock: payload.subarray(4) }
    case control.rstStream:
      return { type: 'rst-stream', streamId: number(0) & idMask, status: number(1) }
    case control.ping:
      return { type: 'ping', id: number(0) }
    case control.goaway:
      return { type: 'goaway', lastStreamId: number(0) & idMask, status: payload.length >= 8 ? number(1) : 0 }
    case control.windowUpdate:
      return { type: 'window-update', streamId: number(0) & idMask, delta: number(1) & idMask }
    default:
      return { type: 'ignored', controlType: type }
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}
