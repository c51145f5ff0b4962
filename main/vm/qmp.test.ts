import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { connectQmp, QmpError, type QmpEvent } from './qmp.ts'

const greeting = '{"QMP":{"version":{"qemu":{"micro":22,"minor":2,"major":7},"package":""},"capabilities":["oob"]}}\r\n'
const cleanups: (() => void)[] = []

/** Speaks QEMU's side of the protocol as `answer` says. */
async function serve(
  answer: (request: { execute: string; id: number; arguments?: unknown }, socket: Socket) => void,
  hello = greeting,
): Promise<{ port: number; sockets: Socket[] }> {
  const sockets: Socket[] = []
  const server: Server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.write(hello)
    socket.on('data', (chunk) => {
      for (const line of chunk
        .toString()
        .split('\n')
        .filter((text) => text !== '')) {
        const request = JSON.parse(line) as { execute: string; id: number }
        if (request.execute === 'qmp_capabilities')
          socket.write(`${JSON.stringify({ return: {}, id: request.id })}\r\n`)
        else answer(request, socket)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as { port: number }).port, sockets }
}

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

describe('qmp', () => {
  test('greets, runs commands in parallel, matches answers by id', async () => {
    const waiting: { id: number; socket: Socket }[] = []
    const { port } = await serve(({ id }, socket) => {
      waiting.push({ id, socket })
      // Answered in the wrong order and in pieces.
      if (waiting.length === 2) {
        const text = waiting
          .reverse()
          .map((item) => `${JSON.stringify({ return: { id: item.id }, id: item.id })}\r\n`)
          .join('')
        socket.write(text.slice(0, 7))
        setImmediate(() => socket.write(text.slice(7)))
      }
    })
    const qmp = await connectQmp({ type: 'tcp', host: '127.0.0.1', port })
    expect(qmp.version).toEqual([7, 2, 22])
    const [first, second] = await Promise.all([
      qmp.execute<{ id: number }>('query-status'),
      qmp.execute<{ id: number }>('query-kvm'),
    ])
    expect(second.id - first.id).toBe(1)
    qmp.close()
  })

  test('a refusal carries QEMU’s class and words', async () => {
    const { port } = await serve(({ id }, socket) => {
      socket.write(`${JSON.stringify({ error: { class: 'DeviceNotFound', desc: "Device 'x' not found" }, id })}\r\n`)
    })
    const qmp = await connectQmp({ type: 'tcp', host: '127.0.0.1', port })
    const error = await qmp.execute('netdev_del', { id: 'x' }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(QmpError)
    expect(error).toMatchObject({
      code: 'DeviceNotFound',
      message: 'QEMU refused "netdev_del": Device \'x\' not found',
    })
    qmp.close()
  })

  test('events reach every listener, also between answers', async () => {
    const { port } = await serve(({ id }, socket) => {
      socket.write(
        `{"event":"STOP","timestamp":{}}\r\n${JSON.stringify({ return: {}, id })}\r\n{"event":"SHUTDOWN","data":{"guest":true,"reason":"guest-shutdown"}}\r\n`,
      )
    })
    const qmp = await connectQmp({ type: 'tcp', host: '127.0.0.1', port })
    const seen: QmpEvent[] = []
    const both = new Promise<void>((resolve) => {
      qmp.onEvent((event) => {
        seen.push(event)
        if (seen.length === 2) resolve()
      })
    })
    await qmp.execute('stop')
    await both
    expect(seen).toEqual([{ event: 'STOP' }, { event: 'SHUTDOWN', data: { guest: true, reason: 'guest-shutdown' } }])
    qmp.close()
  })

  test('commands have deadlines', async () => {
    const { port } = await serve(() => undefined)
    const qmp = await connectQmp({ type: 'tcp', host: '127.0.0.1', port })
    await expect(qmp.execute('query-status', undefined, { timeoutMs: 30 })).rejects.toMatchObject({
      code: 'Timeout',
      message: expect.stringContaining('query-status') as string,
    })
    qmp.close()
  })

  test('a connection that ends rejects what waits and settles closed', async () => {
    const { port } = await serve((_, socket) => {
      socket.destroy()
    })
    const qmp = await connectQmp({ type: 'tcp', host: '127.0.0.1', port })
    await expect(qmp.execute('quit')).rejects.toMatchObject({ code: 'Closed' })
    await qmp.closed
    await expect(qmp.execute('quit')).rejects.toMatchObject({
      code: 'Closed',
      message: expect.stringContaining('was not sent') as string,
    })
  })

  test.each([
    ['garbage', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['silence', ''],
  ])('a server that is no monitor (%s) is refused in time', async (_, hello) => {
    const { port } = await serve(() => undefined, hello)
    await expect(connectQmp({ type: 'tcp', host: '127.0.0.1', port }, { timeoutMs: 100 })).rejects.toBeInstanceOf(
      QmpError,
    )
  })

  test('nothing listening is an error that names the address', async () => {
    await expect(connectQmp({ type: 'unix', path: '/nonexistent/monitor' })).rejects.toMatchObject({
      code: 'Closed',
      message: expect.stringContaining('/nonexistent/monitor') as string,
    })
  })
})
