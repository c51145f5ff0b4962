import { once } from 'node:events'
import { request } from 'node:https'
import { Duplex, PassThrough, type Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { frameChannel } from '../../../common/channel/agent-api.ts'
import { serviceUnavailable } from '../../../common/machinery/status.ts'
import { ChannelFrameDecoder, encodeChannelFrame } from '../../../common/streaming/channel-frames.ts'
import { SpdySession, type SpdyStream } from '../../../common/streaming/spdy/index.ts'
import type { NodeConnections, NodeRequest, NodeResponse } from '../../channel/node-connections.ts'
import { adminToken, startTestServer, type TestServer } from '../testing/test-server.ts'
import { newNodeInflater } from './node-inflater.ts'

/** An agent whose containers echo: stdin comes back on stdout, and its end ends the command with exit code 3. */
const seen: NodeRequest[] = []
const nodes: NodeConnections = {
  isConnected: () => true,
  request: (node, asked) => {
    if (node !== 'n1') return Promise.reject(serviceUnavailable(`node ${node} is not connected`))
    seen.push(asked)
    if (asked.path.startsWith('/containerLogs')) return Promise.resolve(answer(bodyOf('line 1\nline 2\n')))
    if (asked.path.startsWith('/portForward')) return Promise.resolve(answer(new PassThrough()))
    return Promise.resolve(answer(echoCommand()))
  },
}
const answer = (stream: Duplex): NodeResponse => ({ status: 200, headers: {}, stream })

function bodyOf(text: string): Duplex {
  const stream = new PassThrough()
  stream.end(text)
  return stream
}

function echoCommand(): Duplex {
  const decoder = new ChannelFrameDecoder()
  return new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      for (const { channel, payload } of decoder.push(chunk)) {
        if (channel === frameChannel.stdin) this.push(encodeChannelFrame(frameChannel.stdout, payload))
        if (channel === frameChannel.close) {
          const status = {
            metadata: {},
            status: 'Failure',
            reason: 'NonZeroExitCode',
            message: 'command terminated with exit code 3',
            details: { causes: [{ reason: 'ExitCode', message: '3' }] },
          }
          this.push(encodeChannelFrame(frameChannel.error, Buffer.from(JSON.stringify(status))))
          this.push(null)
        }
      }
      done()
    },
  })
}

let server: TestServer
const pods = '/api/v1/namespaces/default/pods'
beforeAll(async () => {
  server = await startTestServer({ nodes })
  await server.call('/api/v1/namespaces/default/serviceaccounts', { body: { metadata: { name: 'default' } } })
  for (const [name, nodeName] of [
    ['web', 'n1'],
    ['lost', 'n2'],
    ['waiting', 'n1'],
    ['free', undefined],
  ] as const) {
    await server.call(pods, {
      body: { metadata: { name }, spec: { nodeName, containers: [{ name: 'c', image: 'x' }] } },
    })
  }
  const status = {
    phase: 'Running',
    podIP: '10.0.0.1',
    containerStatuses: [{ name: 'c', ready: true, restartCount: 0, image: 'x', imageID: '', state: { running: {} } }],
  }
  for (const name of ['web', 'lost']) {
    await server.call(`${pods}/${name}/status`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { status },
    })
  }
})
afterAll(() => server.close())

const connect = (path: string, protocols: string[], token = adminToken): WebSocket =>
  new WebSocket(`wss://127.0.0.1:${String(server.address.port)}${path}`, protocols, {
    ca: server.ca,
    headers: { authorization: `Bearer ${token}` },
  })

describe('logs', () => {
  it('come from the node of the pod', async () => {
    const { status, text, headers } = await server.call(`${pods}/web/log?tailLines=2&timestamps=true`)
    expect(headers).toHaveProperty('audit-id')
    expect([status, text, headers['content-type']]).toEqual([200, 'line 1\nline 2\n', 'text/plain'])
    expect(seen.at(-1)).toMatchObject({
      path: '/containerLogs/default/web/c',
      query: { tailLines: '2', timestamps: 'true' },
    })
  })

  it('are empty while the pod has no node', async () => {
    const { status, text } = await server.call(`${pods}/free/log`)
    expect([status, text]).toEqual([200, ''])
  })

  it.each([
    ['web/log?container=x', 400, 'container x is not valid for pod web'],
    ['waiting/log', 400, 'container "c" in pod "waiting" is waiting to start: ContainerCreating'],
    ['web/log?previous=true', 400, 'previous terminated container "c" in pod "web" not found'],
    ['lost/log', 503, 'node n2 is not connected'],
    ['nobody/log', 404, 'pods "nobody" not found'],
    [
      'web/log?tailLines=-1',
      422,
      'PodLogOptions "web" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
    ],
  ])('%s is answered with %i', async (path, code, message) => {
    expect((await server.call<{ message: string }>(`${pods}/${path}`)).body).toMatchObject({ code, message })
  })
})

describe('exec over WebSocket', () => {
  it('carries channels both ways and the exit status last', async () => {
    const socket = connect(`${pods}/web/exec?command=cat&stdin=true&stdout=true`, [
      'v5.channel.k8s.io',
      'v4.channel.k8s.io',
    ])
    const received: { channel: number; text: string }[] = []
    socket.on('message', (data: Buffer) => received.push({ channel: data[0] ?? -1, text: data.subarray(1).toString() }))
    await once(socket, 'open')
    expect(socket.protocol).toBe('v5.channel.k8s.io')
    socket.send(Buffer.concat([Buffer.from([frameChannel.stdin]), Buffer.from('hello')]))
    socket.send(Buffer.from([frameChannel.close, frameChannel.stdin]))
    await once(socket, 'close')
    expect(received[0]).toEqual({ channel: frameChannel.stdout, text: 'hello' })
    expect(JSON.parse(received.at(-1)?.text ?? '')).toMatchObject({ reason: 'NonZeroExitCode' })
  })

  it.each([
    ['web/exec?stdout=true', adminToken, 400],
    ['web/exec?command=x', adminToken, 400],
    ['web/exec?command=x&stdout=true', 'wrong', 401],
    ['nobody/exec?command=x&stdout=true', adminToken, 404],
    ['lost/exec?command=x&stdout=true', adminToken, 503],
  ])('%s as %s is refused with %i', async (path, token, code) => {
    const socket = connect(`${pods}/${path}`, ['v5.channel.k8s.io'], token)
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
    expect(response.statusCode).toBe(code)
    socket.on('error', () => undefined)
    socket.terminate()
  })
})

async function text(stream: SpdyStream): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function spdyClient(
  path: string,
  protocols: string[],
): Promise<{ session: SpdySession; protocol: string | undefined }> {
  const req = request({
    host: '127.0.0.1',
    port: server.address.port,
    ca: server.ca,
    servername: 'localhost',
    method: 'POST',
    path,
    headers: {
      authorization: `Bearer ${adminToken}`,
      connection: 'Upgrade',
      upgrade: 'SPDY/3.1',
      'x-stream-protocol-version': protocols,
      'content-length': '0',
    },
  })
  req.end()
  const [response, socket] = (await once(req, 'upgrade')) as [{ headers: Record<string, string | undefined> }, Duplex]
  const session = new SpdySession({
    role: 'client',
    newInflater: newNodeInflater,
    connection: {
      write: (bytes) =>
        new Promise((resolve, reject) => {
          socket.write(bytes, (error) => {
            if (error) reject(error)
            else resolve()
          })
        }),
      incoming: socket as Readable as AsyncIterable<Uint8Array>,
      close: () => {
        socket.destroy()
      },
    },
  })
  return { session, protocol: response.headers['x-stream-protocol-version'] }
}

describe('SPDY', () => {
  it('gives each channel of a command its stream', async () => {
    const { session, protocol } = await spdyClient(`${pods}/web/exec?command=cat&stdin=true&stdout=true`, [
      'v5.channel.k8s.io',
      'v4.channel.k8s.io',
    ])
    expect(protocol).toBe('v4.channel.k8s.io')
    const [errors, stdin, stdout] = ['error', 'stdin', 'stdout'].map((type) =>
      session.openStream([['streamType', type]]),
    ) as [SpdyStream, SpdyStream, SpdyStream]
    await Promise.all([errors.accepted, stdin.accepted, stdout.accepted])
    await stdin.write(Buffer.from('hello'))
    await stdin.end()
    expect(await text(stdout)).toBe('hello')
    expect(JSON.parse(await text(errors))).toMatchObject({ reason: 'NonZeroExitCode' })
    session.close()
  })

  it('pairs the streams of forwarded ports by request and carries bytes both ways', async () => {
    const { session } = await spdyClient(`${pods}/web/portforward`, ['portforward.k8s.io'])
    const open = (id: string, streamtype: string): SpdyStream =>
      session.openStream([
        ['streamtype', streamtype],
        ['port', '80'],
        ['requestid', id],
      ])
    const carried = await Promise.all(
      ['0', '1'].map(async (id) => {
        const errors = open(id, 'error')
        const data = open(id, 'data')
        await errors.end()
        await data.write(Buffer.from(`payload ${id}`))
        await data.end()
        return [await text(data), await text(errors)]
      }),
    )
    expect(carried).toEqual([
      ['payload 0', ''],
      ['payload 1', ''],
    ])
    session.close()
  })

  it('is refused to clients that speak no protocol known here', async () => {
    const req = request({
      host: '127.0.0.1',
      port: server.address.port,
      ca: server.ca,
      servername: 'localhost',
      method: 'POST',
      path: `${pods}/web/portforward`,
      headers: {
        authorization: `Bearer ${adminToken}`,
        connection: 'Upgrade',
        upgrade: 'SPDY/3.1',
        'x-stream-protocol-version': 'other',
      },
    })
    req.end()
    const [response] = (await once(req, 'response')) as [{ statusCode: number; resume(): void }]
    response.resume()
    expect(response.statusCode).toBe(403)
  })
})
