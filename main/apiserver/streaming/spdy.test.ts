import { deflateSync, constants } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { type ByteConnection, SpdySession, type SpdyStream } from '../../../common/streaming/spdy/index.ts'
import { spdyDictionary } from '../../../common/streaming/spdy/dictionary.ts'
import {
  adler32,
  decodeHeaders,
  encodeHeaders,
  StoredHeaderDeflater,
} from '../../../common/streaming/spdy/header-block.ts'
import { encodeFrame, FrameDecoder, type SpdyFrame } from '../../../common/streaming/spdy/frames.ts'
import { newNodeInflater } from './node-inflater.ts'

/** Two ends of a connection in memory, cutting what is written into pieces of `cut` bytes. */
function pipe(cut: number): [ByteConnection, ByteConnection] {
  const side = (): { queue: Uint8Array[]; wake: () => void; closed: boolean } => ({
    queue: [],
    wake: () => undefined,
    closed: false,
  })
  const [a, b] = [side(), side()]
  const connection = (own: typeof a, other: typeof a): ByteConnection => ({
    write: (bytes) => {
      if (other.closed) return Promise.reject(new Error('closed'))
      for (let start = 0; start < bytes.length; start += cut) other.queue.push(bytes.slice(start, start + cut))
      other.wake()
      return Promise.resolve()
    },
    incoming: (async function* () {
      for (;;) {
        const next = own.queue.shift()
        if (next !== undefined) yield next
        else if (own.closed) return
        else await new Promise<void>((resolve) => (own.wake = resolve))
      }
    })(),
    close: () => {
      for (const end of [own, other]) {
        end.closed = true
        end.wake()
      }
    },
  })
  return [connection(a, b), connection(b, a)]
}

async function readAll(stream: SpdyStream): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

describe('SPDY/3.1', () => {
  it('has the dictionary every other implementation has', () => {
    expect(spdyDictionary.length).toBe(1423)
    expect(adler32(spdyDictionary)).toBe(0xe3c6a7c2)
  })

  it('writes header blocks that zlib reads, and reads those that zlib compressed', async () => {
    const ours = new StoredHeaderDeflater()
    const inflater = newNodeInflater(spdyDictionary)
    for (const headers of [
      [['streamType', 'error']],
      [
        ['port', '80'],
        ['requestid', '1'],
      ],
    ] as [string, string][][]) {
      const block = await inflater.inflate(ours.deflate(encodeHeaders(headers)))
      expect([...decodeHeaders(block)]).toEqual(headers.map(([name, value]) => [name.toLowerCase(), value]))
    }
    inflater.close()
    const theirs = newNodeInflater(spdyDictionary)
    const compressed = deflateSync(encodeHeaders([['streamtype', 'stdin']]), {
      dictionary: spdyDictionary,
      finishFlush: constants.Z_SYNC_FLUSH,
    })
    expect(decodeHeaders(await theirs.inflate(compressed)).get('streamtype')).toBe('stdin')
    theirs.close()
  })

  it.each([1, 3, 1000])('reads frames cut into pieces of %i bytes', (cut) => {
    const frames: Exclude<SpdyFrame, { type: 'ignored' }>[] = [
      {
        type: 'syn-stream',
        streamId: 1,
        fin: false,
        unidirectional: true,
        priority: 3,
        headerBlock: new Uint8Array([1, 2, 3]),
      },
      { type: 'data', streamId: 1, fin: true, payload: new Uint8Array([9, 9]) },
      { type: 'ping', id: 7 },
      { type: 'window-update', streamId: 1, delta: 10 },
      { type: 'goaway', lastStreamId: 1, status: 0 },
    ]
    const bytes = Buffer.concat(frames.map(encodeFrame))
    const decoder = new FrameDecoder()
    const decoded: SpdyFrame[] = []
    for (let start = 0; start < bytes.length; start += cut)
      decoded.push(...decoder.push(new Uint8Array(bytes.subarray(start, start + cut))))
    expect(
      decoded.map((frame) =>
        'payload' in frame
          ? { ...frame, payload: [...frame.payload] }
          : 'headerBlock' in frame
            ? { ...frame, headerBlock: [...frame.headerBlock] }
            : frame,
      ),
    ).toEqual(
      frames.map((frame) =>
        'payload' in frame
          ? { ...frame, payload: [...frame.payload] }
          : 'headerBlock' in frame
            ? { ...frame, headerBlock: [...frame.headerBlock] }
            : frame,
      ),
    )
  })

  it('carries streams both ways between client and server', async () => {
    const [near, far] = pipe(7)
    const server = new SpdySession({
      role: 'server',
      connection: far,
      newInflater: newNodeInflater,
      onStream: (stream) => {
        void (async () => {
          await stream.reply([['x-seen', stream.headers.get('streamtype') ?? '']])
          await stream.write(new TextEncoder().encode(`echo ${await readAll(stream)}`))
          await stream.end()
        })()
      },
    })
    const client = new SpdySession({ role: 'client', connection: near, newInflater: newNodeInflater })
    const texts = await Promise.all(
      ['one', 'two'].map(async (text) => {
        const stream = client.openStream([['streamType', text]])
        expect((await stream.accepted).get('x-seen')).toBe(text)
        await stream.write(new TextEncoder().encode(text))
        await stream.end()
        return readAll(stream)
      }),
    )
    expect(texts).toEqual(['echo one', 'echo two'])
    await client.ping()
    client.close()
    expect(await server.ended).toBeUndefined()
    expect(await client.ended).toBeUndefined()
  })

  it('refuses streams nobody wants and ends with an error on garbage', async () => {
    const [near, far] = pipe(100)
    const server = new SpdySession({ role: 'server', connection: far, newInflater: newNodeInflater })
    const client = new SpdySession({ role: 'client', connection: near, newInflater: newNodeInflater })
    await expect(client.openStream([['a', 'b']]).accepted).rejects.toThrow('reset the stream')
    await near.write(new TextEncoder().encode('\x80\x09garbage garbage'))
    expect(await server.ended).toBeInstanceOf(Error)
    client.close()
  })
})
