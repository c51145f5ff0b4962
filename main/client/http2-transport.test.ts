import { createServer } from 'node:http2'
import type { Http2Server, ServerHttp2Session } from 'node:http2'
import { connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createClient } from '../../common/client/create-client.ts'
import { configMaps } from '../../common/client/resources.ts'
import { ConnectionError } from '../../common/client/transport.ts'
import type { WatchEvent } from '../../common/machinery/meta.ts'
import { StatusError, notFound } from '../../common/machinery/status.ts'
import type { Http2Transport } from './http2-transport.ts'
import { createHttp2Transport } from './http2-transport.ts'

let server: Http2Server
let sessions: Set<ServerHttp2Session>
let transport: Http2Transport
let port: number

beforeEach(async () => {
  sessions = new Set()
  server = createServer()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
    session.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
  transport = createHttp2Transport({
    connect: () => connect(`http://127.0.0.1:${String(port)}`),
    authorization: 'Bearer t',
  })
})

afterEach(async () => {
  transport.close()
  for (const session of sessions) session.destroy()
  await new Promise((resolve) => server.close(resolve))
})

describe('http2 transport', () => {
  it('sends JSON with query and token, and returns the decoded answer', async () => {
    server.on('request', (req, res) => {
      const chunks: Buffer[] = []
      req.on('data', (chunk: Buffer) => chunks.push(chunk))
      req.on('end', () => {
        res.setHeader('content-type', 'application/json')
        res.end(
          JSON.stringify({
            url: req.url,
            method: req.method,
            type: req.headers['content-type'],
            auth: req.headers.authorization,
            body: Buffer.concat(chunks).toString(),
          }),
        )
      })
    })
    const answer = await transport.request({
      method: 'PATCH',
      path: '/api/v1/x',
      query: { dryRun: 'All', no: undefined },
      patchType: 'application/merge-patch+json',
      body: { a: 'ü' },
    })
    expect(answer).toEqual({
      url: '/api/v1/x?dryRun=All',
      method: 'PATCH',
      type: 'application/merge-patch+json',
      auth: 'Bearer t',
      body: '{"a":"ü"}',
    })
  })

  it('rejects with the StatusError that the server sent', async () => {
    server.on('request', (_req, res) => {
      res.writeHead(404, { 'content-type': 'application/json' })
      res.end(JSON.stringify(notFound({ group: '', resource: 'configmaps' }, 'x').status))
    })
    const error: unknown = await createClient(transport)
      .get(configMaps, 'x', 'default')
      .catch((failure: unknown) => failure)
    expect(error).toBeInstanceOf(StatusError)
    expect((error as StatusError).reason).toBe('NotFound')
    expect((error as StatusError).message).toBe('configmaps "x" not found')
  })

  it('streams watch events that arrive in odd pieces, and ends with the server', async () => {
    const event = (name: string): string =>
      `${JSON.stringify({ type: 'ADDED', object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } } })}\n`
    server.on('request', (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json' })
      const text = Buffer.from(event('ü1') + event('two'))
      res.write(text.subarray(0, 70), () => {
        res.write(text.subarray(70), () => res.end())
      })
    })
    const seen: (string | undefined)[] = []
    let opened = 0
    for await (const got of transport.watch({ method: 'GET', path: '/api/v1/configmaps', onOpen: () => opened++ }))
      seen.push((got as WatchEvent).object.metadata.name)
    expect(seen).toEqual(['ü1', 'two'])
    expect(opened).toBe(1)
  })

  it('reports a lost connection and makes a new one for the next request', async () => {
    server.on('request', (req, res) => {
      if (req.url === '/break') req.stream.session?.destroy()
      else res.end('ok')
    })
    await expect(transport.request({ method: 'GET', path: '/break' })).rejects.toBeInstanceOf(ConnectionError)
    expect(await transport.request({ method: 'GET', path: '/healthz' })).toBe('ok')
  })

  it('stops a watch when its signal is aborted', async () => {
    server.on('request', (_req, res) => {
      res.writeHead(200)
      res.write('{"type":"ADDED","object":{"metadata":{}}}\n')
    })
    const abort = new AbortController()
    const run = async (): Promise<void> => {
      for await (const _ of transport.watch({ method: 'GET', path: '/w', signal: abort.signal }))
        abort.abort(new Error('enough'))
    }
    await expect(run()).rejects.toThrow('enough')
  })

  it('names the cause when nothing listens', async () => {
    const nowhere = createHttp2Transport({ connect: () => connect('http://127.0.0.1:1') })
    await expect(nowhere.request({ method: 'GET', path: '/' })).rejects.toThrow(/ECONNREFUSED/)
    nowhere.close()
  })
})
