import { connect, type Socket } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../common/client/testing/eventually.ts'
import { silentLogger } from '../../common/machinery/logger.ts'
import { type Endpoint, socketOptions } from '../vm/endpoint.ts'
import { FrameReader } from './frame-stream.ts'
import { type LanSwitch, startSwitch } from './switch.ts'
import { maxQueueBytes } from './switch-port.ts'

let folder = ''
let lan: LanSwitch
const sockets: Socket[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-switch-'))
  lan = startSwitch({ socketPath: (name) => join(folder, `${name}.lan`), logger: silentLogger })
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await lan.stop()
  await rm(folder, { recursive: true })
})

interface Station {
  socket: Socket
  frames: Buffer[]
  send(to: number, size?: number): void
}

const address = (n: number): string => `5254000000${n.toString(16).padStart(2, '0')}`

function encode(to: string, from: string, size: number): Buffer {
  const bytes = Buffer.alloc(4 + size)
  bytes.writeUInt32BE(size, 0)
  Buffer.from(to + from, 'hex').copy(bytes, 4)
  return bytes
}

/** Resolves when the switch has the cable too: a client's connect comes before the server's accept. */
async function plug(n: number, port: string): Promise<Station> {
  const station = connectStation(n, await lan.openPort(port))
  await eventually(() => lan.isUp(port))
  return station
}

function connectStation(n: number, endpoint: Endpoint): Station {
  const socket = connect(socketOptions(endpoint))
  sockets.push(socket)
  socket.on('error', () => undefined)
  const frames: Buffer[] = []
  const reader = new FrameReader()
  socket.on('data', (chunk) => {
    reader.push(chunk, (buffer, start, length) => frames.push(Buffer.from(buffer.subarray(start, start + length))))
  })
  return {
    socket,
    frames,
    send: (to, size = 60) => {
      socket.write(encode(to === 0 ? 'ffffffffffff' : address(to), address(n), size))
    },
  }
}

describe('switch', () => {
  test('carries frames between machines and counts them', async () => {
    const [a, b, c] = [await plug(1, 'a'), await plug(2, 'b'), await plug(3, 'c')]
    b.send(0)
    await eventually(() => a.frames.length === 1 && c.frames.length === 1)
    for (let i = 0; i < 500; i++) a.send(2, 60 + i)
    await eventually(() => b.frames.length === 500)
    expect(b.frames.map((frame) => frame.length)).toEqual(Array.from({ length: 500 }, (_, i) => 60 + i))
    expect(c.frames).toHaveLength(1)
    const stats = await lan.stats()
    expect(stats['a']).toMatchObject({ rxFrames: 500, txFrames: 1, connected: true, droppedFrames: 0 })
    expect(stats['b']).toMatchObject({ rxFrames: 1, txFrames: 500, rxBytes: 60 })
    expect(lan.isUp('a')).toBe(true)
  })

  test('frames cut anywhere by the socket arrive whole', async () => {
    const [a, b] = [await plug(1, 'a'), await plug(2, 'b')]
    b.send(0)
    await eventually(() => a.frames.length === 1)
    const bytes = Buffer.concat([
      encode(address(2), address(1), 60),
      encode(address(2), address(1), 1514),
      encode(address(2), address(1), 61),
    ])
    for (let at = 0; at < bytes.length; at += 7) {
      a.socket.write(bytes.subarray(at, at + 7))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await eventually(() => b.frames.length === 3)
    expect(b.frames.map((frame) => frame.length)).toEqual([60, 1514, 61])
  })

  test('a machine that does not read loses frames, counted, and holds up nobody', async () => {
    const [a, b, c] = [await plug(1, 'a'), await plug(2, 'b'), await plug(3, 'c')]
    b.send(0)
    c.send(0)
    await eventually(() => a.frames.length === 2)
    b.socket.pause()
    const count = Math.ceil((2 * maxQueueBytes) / 1514)
    for (let i = 0; i < count; i++) a.send(2, 1514)
    a.send(3)
    await eventually(() => c.frames.length === 2)
    const stats = await lan.stats()
    expect(stats['b']?.droppedFrames).toBeGreaterThan(0)
    expect(stats['b']?.queuedBytes).toBeLessThanOrEqual(maxQueueBytes + 256 * 1024)
  })

  test('a new connection takes the port over from a dead one', async () => {
    const endpoint = await lan.openPort('a')
    const first = connectStation(1, endpoint)
    await eventually(() => lan.isUp('a'))
    const b = await plug(2, 'b')
    const second = connectStation(1, endpoint)
    await eventually(() => first.socket.destroyed)
    second.send(0)
    await eventually(() => b.frames.length === 1)
    expect((await lan.stats())['a']?.connected).toBe(true)
  })

  test('a peer that speaks something else is disconnected, the others are not', async () => {
    const [a, b] = [await plug(1, 'a'), await plug(2, 'b')]
    a.socket.write('GET / HTTP/1.1\r\n\r\n')
    await eventually(() => a.socket.destroyed)
    expect((await lan.stats())['a']).toMatchObject({ formatErrors: 1, connected: false })
    expect(b.socket.destroyed).toBe(false)
  })

  test('says when a cable goes up and down', async () => {
    const seen: string[] = []
    lan.onLink((name, state) => seen.push(`${name} ${state}`))
    const a = await plug(1, 'a')
    await eventually(() => seen.includes('a up'))
    a.socket.destroy()
    await eventually(() => seen.includes('a down'))
    expect(lan.isUp('a')).toBe(false)
  })

  test('a closed port refuses connections', async () => {
    const endpoint = await lan.openPort('a')
    await lan.closePort('a')
    const socket = connect(socketOptions(endpoint))
    await expect(
      new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject)),
    ).rejects.toThrow(/ENOENT|ECONNREFUSED/)
  })
})
