// Requests that no client should send: garbage in every part of them, floods, bombs. The answer is a 4xx or a closed connection; who
// behaves is served all the while, and memory does not grow with what was sent.
import { readFile } from 'node:fs/promises'
import { once } from 'node:events'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Api, openApi } from '../../harness/api.ts'
import { startControlPlane, type ControlPlane } from '../../harness/control-plane.ts'
import { eventually } from '../../harness/eventually.ts'

let plane: ControlPlane
let api: Api
beforeAll(async () => {
  plane = await startControlPlane()
  api = await openApi(plane)
})
afterAll(async () => {
  api.close()
  await plane.stop()
})

const maps = '/api/v1/namespaces/default/configmaps'
const seed = Number(process.env['FUZZ_SEED'] ?? '20260101')
const runs = Number(process.env['FUZZ_RUNS'] ?? '300')
const garbage = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1e9',
    'true',
    'a in (b',
    'a=b,c',
    '!',
    '==',
    '%',
    'metadata.name=x',
    'null',
    '[]',
    '__proto__',
  ),
  fc.constantFrom('9'.repeat(400), 'a'.repeat(3000), '\u0000', '\ud800', '../../..', 'x y', 'a,'.repeat(500), '(a+)+$'),
  fc.string({ unit: 'binary', maxLength: 12 }),
)
/** Percent-encoded, lone surrogates included. */
const encoded = (text: string): string => encodeURIComponent(text.toWellFormed())

/** Resident memory of the engine in MiB; undefined where the system does not tell. */
async function residentMiB(): Promise<number | undefined> {
  const status = await readFile(`/proc/${String(plane.info.pid)}/status`, 'utf8').catch(() => '')
  const found = /VmRSS:\s+(\d+) kB/.exec(status)?.[1]
  return found === undefined ? undefined : Number(found) / 1024
}

async function stillServes(): Promise<void> {
  expect(await api.get('/readyz')).toMatchObject({ code: 200 })
  expect((await api.get(`${maps}/kube-root-ca.crt`)).code).toBe(200)
}

async function openRaw(): Promise<TLSSocket> {
  const { hostname, port } = new URL(plane.info.server)
  const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false })
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  return socket
}

describe(`garbage (FUZZ_SEED=${String(seed)})`, () => {
  const parameters = fc.constantFrom(
    ...['labelSelector', 'fieldSelector', 'limit', 'continue', 'resourceVersion', 'resourceVersionMatch', 'watch'],
    ...['timeoutSeconds', 'sendInitialEvents', 'allowWatchBookmarks', 'dryRun', 'fieldManager', 'fieldValidation'],
    ...['pretty', 'includeObject', 'propagationPolicy', 'gracePeriodSeconds', 'force', 'nothing'],
  )
  const query = fc.array(fc.tuple(parameters, garbage), { maxLength: 3 })
  const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'PROPFIND')
  const path = fc.oneof(
    fc.constantFrom(maps, `${maps}/x`, '/api/v1/pods', '/apis', '/api', '/apis/apps/v1', '/openapi/v3', '/version'),
    fc.constantFrom('/api/v1/namespaces/default/pods/x/exec', '/api/v1/namespaces/default/pods/x/log', '/metrics'),
    fc.array(garbage, { maxLength: 4 }).map((parts) => `/${parts.map(encoded).join('/')}`),
    fc.array(garbage, { maxLength: 4 }).map((parts) => `/api/v1/${parts.map(encoded).join('/')}`),
  )
  const header = fc.tuple(
    fc.constantFrom(
      ...['accept', 'content-type', 'content-encoding', 'accept-encoding', 'impersonate-user', 'impersonate-group'],
      ...['if-none-match', 'x-remote-user', 'range', 'expect', 'upgrade', 'sec-websocket-key', 'user-agent', 'cookie'],
    ),
    fc.oneof(
      garbage,
      fc.constantFrom(
        'application/json;as=Table;v=v9;g=meta.k8s.io',
        'application/vnd.kubernetes.protobuf',
        'gzip',
        '*/*;q=x',
      ),
      fc.constantFrom('application/apply-patch+yaml', 'application/yaml', 'application/strategic-merge-patch+json'),
    ),
  )
  const body = fc.oneof(
    garbage,
    fc.json({ maxDepth: 3 }),
    fc.constantFrom(
      '{"metadata":{"name":"x"}}',
      '[{"op":"add","path":"/__proto__/x","value":1}]',
      'a: &a [*a, *a]',
      '{"a":',
    ),
    fc.constantFrom('{"metadata":{"name":"g","__proto__":{"x":1}},"constructor":{"prototype":{"y":1}}}'),
  )

  it('is refused wherever it stands', async () => {
    await fc.assert(
      fc.asyncProperty(
        method,
        path,
        query,
        fc.array(header, { maxLength: 3 }),
        body,
        async (verb, where, asked, headers, text) => {
          const words = [...asked, ['timeoutSeconds', '1'] as const].map(([name, value]) => `${name}=${encoded(value)}`)
          const printable = headers.map(([name, value]) => [
            name,
            value.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 2000),
          ])
          const answer = await api
            .call(verb, `${where}?${words.join('&')}`, {
              headers: Object.fromEntries(printable) as Record<string, string>,
              ...(verb === 'GET' || verb === 'HEAD' ? {} : { body: text.toWellFormed() }),
            })
            // A connection that is closed in the middle is an answer too.
            .catch(() => ({ code: 400, text: '' }))
          expect(answer.code, `${verb} ${where}: ${answer.text.slice(0, 400)}`).not.toBe(500)
        },
      ),
      { seed, numRuns: runs, endOnFailure: true },
    )
    await stillServes()
  })

  it('leaves no trace in what others get', async () => {
    const { body: found } = await api.get<Record<string, unknown>>(`${maps}/kube-root-ca.crt`)
    expect('x' in found || 'y' in found || 'polluted' in found).toBe(false)
    const own = '{"metadata":{"name":"proto"},"data":{"__proto__":"a","constructor":"b","toString":"c"}}'
    expect((await api.post(maps, own)).code).toBe(201)
    const { text } = await api.get(`${maps}/proto`)
    for (const key of ['"__proto__":"a"', '"constructor":"b"', '"toString":"c"']) expect(text).toContain(key)
  })
})

describe('too much', () => {
  it('is told so: deep, long and many-headed bodies', async () => {
    const deep = (open: string, close: string, depth: number): string => open.repeat(depth) + close.repeat(depth)
    for (const text of [deep('[', ']', 1_000_000), deep('{"a":', '}', 300_000), deep('[', '', 2_000_000)])
      // A connection that is cut while the rest is still being sent is how a client learns of a 413 too.
      expect([400, 413]).toContain((await api.post(maps, text).catch(() => ({ code: 413 }))).code)
    const yaml = { 'content-type': 'application/yaml' }
    for (const text of [
      deep('[', ']', 100_000),
      Array.from({ length: 2000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
      `a: &a [${'x,'.repeat(9)}x]\n${'bcdefghij'.replaceAll(/./g, (each) => `${each}: &${each} [${`*${String.fromCharCode(each.charCodeAt(0) - 1)},`.repeat(10)}]\n`)}`,
    ])
      expect((await api.post(maps, text, yaml)).code).toBe(400)
    await stillServes()
  })

  it('is not read to its end: 100 MB', async () => {
    const before = await residentMiB()
    for (const headers of [{ 'content-length': String(100 << 20) }, { 'transfer-encoding': 'chunked' }]) {
      const socket = await openRaw()
      let answer = ''
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString('utf8')))
      const closed = new Promise((resolve) => socket.once('close', resolve))
      const lines = Object.entries({
        host: '127.0.0.1',
        authorization: `Bearer ${api.token}`,
        'content-type': 'application/json',
        ...headers,
      })
      socket.write(`POST ${maps} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`)
      const chunk = Buffer.alloc(1 << 20, 0x20)
      const framed =
        'transfer-encoding' in headers ? Buffer.concat([Buffer.from('100000\r\n'), chunk, Buffer.from('\r\n')]) : chunk
      for (let sent = 0; sent < 100 && !socket.destroyed && answer === ''; sent += 1)
        if (!socket.write(framed)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed])
      await eventually('an answer or the end', () => Promise.resolve(answer !== '' || socket.destroyed))
      if (answer !== '') expect(answer).toMatch(/^HTTP\/1\.1 413 /)
      socket.destroy()
    }
    await stillServes()
    const after = await residentMiB()
    if (before !== undefined && after !== undefined) expect(after - before).toBeLessThan(150)
  })

  it('does not block others: half-open connections and slow requests', async () => {
    const { hostname, port } = new URL(plane.info.server)
    const sockets = Array.from({ length: 300 }, (_, index) => {
      const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false })
      socket.on('error', () => undefined)
      if (index % 3 === 0) socket.write(`POST ${maps} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100\r\n\r\n{`)
      else if (index % 3 === 1) socket.write('GET /api HTTP/1.1\r\nhost: 127')
      return socket
    })
    await eventually('connections', () =>
      Promise.resolve(sockets.every((socket) => socket.authorized || socket.encrypted)),
    )
    for (let count = 0; count < 20; count += 1) await stillServes()
    expect(await plane.ok('get namespaces -o name')).toContain('namespace/default')
    for (const socket of sockets) socket.destroy()
  })
})

describe('bombs in definitions', () => {
  const definition = (name: string, schema: object): object => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${name}.bombs.example.org` },
    spec: {
      group: 'bombs.example.org',
      scope: 'Cluster',
      names: { plural: name, singular: name, kind: 'Bomb' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: schema } } },
        },
      ],
    },
  })
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

  it.each([
    ['regexes', { type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(40)}!`],
    ['nested', { type: 'string', pattern: '^(([a-z])+.)+[A-Z]([a-z])+$' }, 'a'.repeat(60)],
    ['alternatives', { type: 'string', pattern: '^(a|a|aa)*b$' }, 'a'.repeat(50)],
  ])('do not stop the clock: %s', async (name, schema, value) => {
    expect((await api.post(definitions, definition(name, schema))).code).toBe(201)
    const collection = `/apis/bombs.example.org/v1/${name}`
    await eventually('the kind', async () => (await api.get(collection)).code === 200)
    const started = performance.now()
    const bomb = api.post(collection, {
      apiVersion: 'bombs.example.org/v1',
      kind: 'Bomb',
      metadata: { name: 'x' },
      spec: value,
    })
    await stillServes()
    const { code } = await bomb
    expect([201, 422]).toContain(code)
    expect(performance.now() - started).toBeLessThan(5_000)
    await api.delete(`${definitions}/${name}.bombs.example.org`)
  })

  it('are priced before they run: expressions', async () => {
    const rule = 'self.all(a, self.all(b, self.all(c, self.all(d, a + b + c + d != "x"))))'
    const schema = { type: 'array', items: { type: 'string' }, 'x-kubernetes-validations': [{ rule }] }
    const answer = await api.post<{ message: string }>(definitions, definition('expressions', schema))
    expect(answer.code).toBe(422)
    expect(answer.body.message).toMatch(/estimated rule cost|exceeds|budget/i)
  })
})
