import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { request } from 'node:https'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { eventually } from '../../../common/client/testing/eventually.ts'
import type { KubeObject, WatchEvent } from '../../../common/machinery/meta.ts'
import { adminToken, startTestServer, type TestServer } from '../testing/test-server.ts'

const maps = '/api/v1/namespaces/default/configmaps'
const large = 'x'.repeat(1_000_000)
let server: TestServer

beforeEach(async () => {
  server = await startTestServer()
})
afterEach(() => server.close())

const create = async (name: string, text: string): Promise<void> => {
  const { status } = await server.call(maps, { body: { metadata: { name }, data: { text } } })
  expect(status).toBe(201)
}

async function openWatch(query: string): Promise<IncomingMessage> {
  const { host, port } = server.address
  const outgoing = request({
    host,
    port,
    ca: server.ca,
    servername: 'localhost',
    agent: false,
    path: `${maps}?watch=1&${query}`,
    headers: { authorization: `Bearer ${adminToken}` },
  })
  outgoing.end()
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  return response
}

interface Event {
  type: WatchEvent['type']
  object: KubeObject & { data?: Record<string, string> }
}

/** The events of a stream, one by one. */
async function* eventsOf(stream: AsyncIterable<Buffer>): AsyncGenerator<Event> {
  let text = ''
  for await (const part of stream) {
    text += part.toString()
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) yield JSON.parse(line) as Event
  }
}

it('tells a watcher that does not read to list again, and closes it', async () => {
  const response = await openWatch(`resourceVersion=${String(server.store.revision)}`)
  response.pause()
  const slow = async (): Promise<boolean> =>
    (await server.call('/metrics')).text.includes('apiserver_terminated_watchers_total 1')
  let written = 0
  // As many as its connection and our patience hold, and not one more.
  for (; !(await slow()) && written < 100; written += 1) await create(`m${String(written)}`, large)
  expect(written).toBeLessThan(100)
  await create('one-more', large)

  const names: (string | undefined)[] = []
  let last: Event | undefined
  for await (const event of eventsOf(response)) {
    last = event
    names.push(event.object.metadata.name)
  }
  expect(names.slice(0, -1)).toEqual(Array.from({ length: written }, (_, index) => `m${String(index)}`))
  expect(last).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })
})

it('streams an initial state of any size at the pace of its reader, then goes on', async () => {
  for (let index = 0; index < 20; index += 1) await create(`m${String(index)}`, large)
  const response = await openWatch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true')
  // Written while the initial state is still on its way.
  await create('late', 'small')
  const seen: string[] = []
  for await (const { type, object } of eventsOf(response)) {
    seen.push(`${type} ${object.metadata.name ?? ''}`)
    if (object.metadata.name === 'late') break
  }
  expect(seen).toHaveLength(22)
  expect(seen.slice(-2)).toEqual(['BOOKMARK ', 'ADDED late'])
})

it('streams no tables as an initial state', async () => {
  const query = `${maps}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'
  expect((await server.call(query, { headers: { accept: table } })).status).toBe(406)
  await create('a', 'small')
  const { text } = await server.call(`${query}&timeoutSeconds=1`, { headers: { accept: `${table},application/json` } })
  expect(JSON.parse(text.split('\n')[0] ?? '')).toMatchObject({ type: 'ADDED', object: { kind: 'ConfigMap' } })
})

it('answers a revision that does not exist yet so that clients list again', async () => {
  const response = await openWatch(`resourceVersion=${String(server.store.revision + 1000)}`)
  const events: Event[] = []
  for await (const event of eventsOf(response)) events.push(event)
  expect(events).toHaveLength(1)
  expect(events[0]).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })
})

it('carries the same events over HTTP/2', async () => {
  const client = connectHttp2(`https://${server.address.host}:${String(server.address.port)}`, {
    ca: server.ca,
    servername: 'localhost',
  })
  const stream = client.request({
    ':path': `${maps}?watch=1&resourceVersion=${String(server.store.revision)}`,
    authorization: `Bearer ${adminToken}`,
  })
  await once(stream, 'response')
  await create('a', 'ä'.repeat(1000))
  await create('b', large)
  const names: string[] = []
  for await (const { type, object } of eventsOf(stream)) {
    names.push(`${type} ${object.metadata.name ?? ''} ${String(object.data?.['text']?.length)}`)
    if (names.length === 2) break
  }
  expect(names).toEqual(['ADDED a 1000', `ADDED b ${String(large.length)}`])
  client.destroy()
})

it('forgets a watcher whose connection is cut', async () => {
  const response = await openWatch(`resourceVersion=${String(server.store.revision)}`)
  response.on('error', () => undefined)
  response.destroy()
  await create('a', 'small')
  await eventually(async () => {
    expect((await server.call('/metrics')).text).toMatch(
      /apiserver_request_total\{code="200",[^}]*verb="WATCH"[^}]*\} 1/,
    )
  })
})
