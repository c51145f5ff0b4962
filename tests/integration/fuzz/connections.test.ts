// Connections that are misused: HTTP/2 streams opened and reset without end, floods of settings, pings and headers, frames that make no
// sense, and garbage after an upgrade. Those connections may end; everybody else is served, and memory comes back.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect as connectHttp2, type ClientHttp2Session, constants } from 'node:http2'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Api, openApi } from '../../harness/api.ts'
import { startControlPlane, type ControlPlane } from '../../harness/control-plane.ts'
import { eventually } from '../../harness/eventually.ts'

let plane: ControlPlane
let api: Api
beforeAll(async () => {
  plane = await startControlPlane()
  api = await openApi(plane)
  await plane.ok('wait --for=create serviceaccount/default --timeout=60s')
  await plane.ok('run waiting --image=x')
})
afterAll(async () => {
  api.close()
  await plane.stop()
})

const maps = '/api/v1/namespaces/default/configmaps'

async function stillServes(): Promise<void> {
  expect((await api.get('/readyz')).code).toBe(200)
  expect((await api.get(maps)).code).toBe(200)
}

async function residentMiB(): Promise<number | undefined> {
  const status = await readFile(`/proc/${String(plane.info.pid)}/status`, 'utf8').catch(() => '')
  const found = /VmRSS:\s+(\d+) kB/.exec(status)?.[1]
  return found === undefined ? undefined : Number(found) / 1024
}

function openHttp2(): ClientHttp2Session {
  const session = connectHttp2(plane.info.server, { rejectUnauthorized: false })
  session.on('error', () => undefined)
  return session
}

async function openRaw(protocols: string[]): Promise<TLSSocket> {
  const { hostname, port } = new URL(plane.info.server)
  const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false, ALPNProtocols: protocols })
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  return socket
}

const ended = (socket: TLSSocket): Promise<unknown> =>
  socket.destroyed ? Promise.resolve() : new Promise((resolve) => socket.once('close', resolve))

/** Writes as fast as the other end reads, until it hangs up or all is sent. */
async function flood(socket: TLSSocket, piece: Buffer, times: number): Promise<void> {
  const gone = ended(socket)
  for (let count = 0; count < times && !socket.destroyed; count += 1)
    if (!socket.write(piece)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), gone])
}

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}
const settings = frame(4, 0, 0)

describe('HTTP/2 misused', () => {
  it('streams that are opened and reset at once', async () => {
    const before = await residentMiB()
    const session = openHttp2()
    await once(session, 'connect')
    for (let round = 0; round < 100 && !session.destroyed; round += 1) {
      for (let count = 0; count < 100 && !session.destroyed && !session.closed; count += 1) {
        try {
          const stream = session.request({
            ':path': `${maps}?watch=1`,
            ':method': 'GET',
            authorization: `Bearer ${api.token}`,
          })
          stream.on('error', () => undefined)
          stream.close(constants.NGHTTP2_CANCEL)
        } catch {
          // The server has had enough.
          break
        }
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
    await stillServes()
    session.destroy()
    const after = await residentMiB()
    if (before !== undefined && after !== undefined) expect(after - before).toBeLessThan(200)
  })

  it.each([
    ['settings', frame(4, 0, 0, Buffer.from([0, 3, 0, 0, 0, 100])), 20_000],
    ['pings', frame(6, 0, 0, Buffer.alloc(8)), 20_000],
    ['empty data', frame(0, 0, 1), 20_000],
    ['window updates', frame(8, 0, 0, Buffer.from([0, 0, 0, 1])), 20_000],
    ['priorities', frame(2, 0, 1, Buffer.from([0, 0, 0, 0, 16])), 20_000],
    ['continuations without end', frame(9, 0, 1, Buffer.alloc(16_000, 0x41)), 2_000],
    ['frames of no known type', frame(0xbe, 0xff, 3, Buffer.alloc(100)), 5_000],
    ['noise', randomBytes(20_000), 50],
  ])('floods of %s', async (_, piece, times) => {
    const socket = await openRaw(['h2'])
    socket.resume()
    socket.write(Buffer.concat([preface, settings]))
    // A request that has begun: headers without their end.
    socket.write(frame(1, 0, 1, Buffer.from([0x82])))
    await flood(socket, piece, times)
    await stillServes()
    socket.destroy()
  })

  it('more headers than anybody needs', async () => {
    const session = openHttp2()
    await once(session, 'connect')
    const many = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`x-${String(index)}`, 'y'.repeat(100)]))
    const status = await new Promise<number>((resolve) => {
      try {
        const stream = session.request({ ':path': '/version', ...many })
        stream.on('response', (headers) => {
          resolve(headers[':status'] ?? 0)
        })
        stream.on('error', () => {
          resolve(431)
        })
        stream.on('close', () => {
          resolve(431)
        })
      } catch {
        resolve(431)
      }
    })
    expect([200, 400, 431]).toContain(status)
    session.destroy()
    await stillServes()
  })

  it('bodies that never come, and answers that nobody reads', async () => {
    const session = openHttp2()
    await once(session, 'connect')
    const authorization = `Bearer ${api.token}`
    const streams = Array.from({ length: 90 }, (_, index) => {
      const stream = session.request(
        index % 2 === 0
          ? { ':path': maps, ':method': 'POST', authorization, 'content-type': 'application/json' }
          : { ':path': '/openapi/v2', ':method': 'GET', authorization },
        { endStream: index % 2 !== 0 },
      )
      stream.on('error', () => undefined)
      stream.pause()
      return stream
    })
    for (let count = 0; count < 5; count += 1) await stillServes()
    for (const stream of streams) stream.close()
    session.destroy()
    await stillServes()
  })
})

describe('upgrades misused', () => {
  const doors: [string, Record<string, string>][] = [
    [
      'WebSocket',
      {
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
        'sec-websocket-protocol': 'v5.channel.k8s.io',
      },
    ],
    [
      'WebSocket of no known protocol',
      {
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
        'sec-websocket-protocol': 'v9.none',
      },
    ],
    ['WebSocket without a key', { upgrade: 'websocket', 'sec-websocket-version': '13' }],
    ['SPDY', { upgrade: 'SPDY/3.1', 'x-stream-protocol-version': 'v4.channel.k8s.io' }],
    ['something else', { upgrade: 'TLS/1.0, h2c' }],
  ]
  const paths = [
    '/api/v1/namespaces/default/pods/waiting/exec?command=ls&stdout=1',
    '/api/v1/namespaces/default/pods/waiting/attach?stdout=1',
    '/api/v1/namespaces/default/pods/waiting/portforward?ports=80',
    '/api/v1/namespaces/default/pods/none/exec?command=ls&stdout=1',
    `${maps}?watch=1&timeoutSeconds=2`,
    '/api/v1/namespaces/default/services/kubernetes/proxy/x',
    '/version',
  ]
  it.each(doors)('%s, and noise after it', async (_, headers) => {
    for (const path of paths) {
      for (const method of ['GET', 'POST']) {
        const socket = await openRaw(['http/1.1'])
        let answer = ''
        socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
        const lines = Object.entries({
          host: '127.0.0.1',
          connection: 'Upgrade',
          authorization: `Bearer ${api.token}`,
          ...headers,
        }).map(([name, value]) => `${name}: ${value}\r\n`)
        socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
        await eventually(`${method} ${path} is answered`, () => Promise.resolve(answer !== '' || socket.destroyed))
        expect(answer.slice(0, 400), `${method} ${path}`).not.toMatch(/panic|TypeError|Cannot read/)
        await flood(socket, randomBytes(4_000), 20)
        socket.destroy()
      }
    }
    await stillServes()
  })
})
