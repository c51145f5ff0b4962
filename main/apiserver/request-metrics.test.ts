import { once } from 'node:events'
import { request } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { adminToken, startTestServer, type TestServer } from './testing/test-server.ts'

const maps = '/api/v1/namespaces/default/configmaps'
let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const scrape = async (): Promise<Map<string, number>> =>
  new Map(
    (await server.call('/metrics')).text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
const labels = (scope: string, verb: string): string =>
  `component="apiserver",group="",resource="configmaps",scope="${scope}",subresource="",verb="${verb}",version="v1"`

it('counts requests, their time and the size of answers', async () => {
  await server.call(maps, { body: { metadata: { name: 'a' }, data: { text: 'x'.repeat(2000) } } })
  await server.call(`${maps}/a`)
  await server.call(`${maps}/none`)
  await server.call(`${maps}/a?fieldManager=m`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/apply-patch+yaml' },
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } },
  })
  const found = await scrape()
  expect(found.get(`apiserver_request_total{code="201",dry_run="",${labels('resource', 'POST')}}`)).toBe(1)
  expect(found.get(`apiserver_request_total{code="200",dry_run="",${labels('resource', 'GET')}}`)).toBe(1)
  expect(found.get(`apiserver_request_total{code="404",dry_run="",${labels('resource', 'GET')}}`)).toBe(1)
  expect(found.get(`apiserver_request_total{code="200",dry_run="",${labels('resource', 'APPLY')}}`)).toBe(1)
  expect(found.get(`apiserver_request_duration_seconds_count{dry_run="",${labels('resource', 'GET')}}`)).toBe(2)
  expect(found.get(`apiserver_request_sli_duration_seconds_bucket{${labels('resource', 'GET')},le="60"}`)).toBe(2)
  expect(found.has(`apiserver_request_sli_duration_seconds_bucket{${labels('resource', 'GET')},le="0.005"}`)).toBe(
    false,
  )
  const sizes = `apiserver_response_sizes_bucket{${labels('resource', 'GET')}`
  expect([found.get(`${sizes},le="1000"}`), found.get(`${sizes},le="10000"}`)]).toEqual([1, 2])
})

it('counts watches under way and their events', async () => {
  const { host, port } = server.address
  const outgoing = request({
    host,
    port,
    ca: server.ca,
    servername: 'localhost',
    agent: false,
    path: `${maps}?watch=1&resourceVersion=${String(server.store.revision)}`,
    headers: { authorization: `Bearer ${adminToken}` },
  })
  outgoing.end()
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  const running = `apiserver_longrunning_requests{${labels('namespace', 'WATCH')}}`
  expect((await scrape()).get(running)).toBe(1)
  const event = once(response, 'data')
  await server.call(maps, { body: { metadata: { name: 'b' } } })
  await event
  expect((await scrape()).get('apiserver_watch_events_total{group="",resource="configmaps",version="v1"}')).toBe(1)
  response.destroy()
  await expect.poll(async () => (await scrape()).get(running)).toBe(0)
})

it('names deprecated APIs that were asked for', async () => {
  await server.call('/api/v1/endpoints')
  const name =
    'apiserver_requested_deprecated_apis{group="",removed_release="",resource="endpoints",subresource="",version="v1"}'
  expect((await scrape()).get(name)).toBe(1)
})
