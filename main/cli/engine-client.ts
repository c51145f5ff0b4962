// How the command talks to the engine of a home: over the same HTTPS API as everyone, with the home's admin token.
import { readFile } from 'node:fs/promises'
import { request, type RequestOptions } from 'node:https'
import { connect as connectHttp2 } from 'node:http2'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import WebSocket from 'ws'
import { createClient } from '../../common/client/create-client.ts'
import type { KubeClient } from '../../common/client/client.ts'
import { StatusError } from '../../common/machinery/status.ts'
import { createHttp2Transport } from '../client/http2-transport.ts'
import { CodedError } from '../engine/coded-error.ts'
import { runningEngine, type EngineInfo } from '../engine/engine-info.ts'
import type { HomePaths } from '../engine/paths.ts'

export interface EngineClient {
  info: EngineInfo
  client: KubeClient
  /** POST/GET of the engine's own subresources; resolves with the parsed JSON body. */
  call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T>
  /** POST of a stream; yields JSON lines. */
  upload(path: string, body: Readable, contentType: string): AsyncIterable<unknown>
  /** A channel stream (console, shell). */
  open(path: string): WebSocket
  close(): void
}

export function notRunning(paths: HomePaths): CodedError {
  return new CodedError('NotRunning', `No engine is running on ${paths.home}.`, 'Start the lab with: orrery up')
}

export async function connectEngine(paths: HomePaths): Promise<EngineClient> {
  const info = await runningEngine(paths)
  if (!info) throw notRunning(paths)
  const { ca } = info
  const { token } = JSON.parse(await readFile(paths.adminToken, 'utf8')) as { token: string }
  const authorization = `Bearer ${token}`
  const transport = createHttp2Transport({
    connect: () => connectHttp2(info.server, { ca }),
    authorization: () => authorization,
  })
  const send = (
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: Readable | string,
  ): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const options: RequestOptions = { method, ca, headers: { authorization, accept: 'application/json', ...headers } }
      const outgoing = request(new URL(path, info.server), options, resolve)
      outgoing.on('error', reject)
      if (body === undefined) outgoing.end()
      else if (typeof body === 'string') outgoing.end(body)
      else body.on('error', reject).pipe(outgoing)
    })
  const text = async (response: IncomingMessage): Promise<string> => {
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks).toString('utf8')
  }
  const failOn = async (response: IncomingMessage): Promise<void> => {
    if ((response.statusCode ?? 500) < 400) return
    const body = await text(response)
    let status: { code?: number; message?: string; reason?: string }
    try {
      status = JSON.parse(body) as typeof status
    } catch {
      status = { message: body.slice(0, 400) }
    }
    throw new StatusError({ ...status, code: response.statusCode ?? 500, message: status.message ?? 'request failed' })
  }
  return {
    info,
    client: createClient(transport),
    async call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
      const json = body === undefined ? undefined : JSON.stringify(body)
      const response = await send(method, path, json === undefined ? {} : { 'content-type': 'application/json' }, json)
      await failOn(response)
      return JSON.parse(await text(response)) as T
    },
    async *upload(path, body, contentType) {
      const response = await send('POST', path, { 'content-type': contentType }, body)
      await failOn(response)
      let rest = ''
      for await (const chunk of response) {
        rest += (chunk as Buffer).toString('utf8')
        const lines = rest.split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) if (line !== '') yield JSON.parse(line) as unknown
      }
      if (rest.trim() !== '') yield JSON.parse(rest) as unknown
    },
    open: (path) =>
      new WebSocket(new URL(path, info.server.replace('https:', 'wss:')), ['v5.channel.k8s.io'], {
        ca,
        headers: { authorization },
      }),
    close() {
      transport.close()
    },
  }
}
