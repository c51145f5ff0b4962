// What hostile or broken clients send, kind by kind, for abuse.ts.
import { Agent, request } from 'node:https'
import { connect } from 'node:tls'
import type { ControlPlane } from './control-plane.ts'

export interface Abuse {
  readonly what: string
  readonly atOnce: number
  /** What must be there first. */
  readonly prepare?: () => Promise<unknown>
  /** One of them: what came of it. */
  readonly attack: () => Promise<string>
  readonly cleanUp?: () => Promise<unknown>
}

interface Request {
  readonly method?: string
  readonly path: string
  readonly type?: string
  readonly body?: string | Buffer
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
}

const mebibyte = 1024 * 1024
const limit = 3 * mebibyte
const answerDeadlineMs = 15_000
const maps = '/api/v1/namespaces/default/configmaps'
const applyType = 'application/apply-patch+yaml'

/** Repeats a part until the text is just short of the largest body. */
function filled(start: string, part: (index: number) => string, end: string, size = limit): string {
  const parts: string[] = [start]
  for (let index = 0, left = size - start.length - end.length; ; index += 1) {
    const next = part(index)
    left -= next.length
    if (left <= 0) break
    parts.push(next)
  }
  return [...parts, end].join('')
}

export function abusesOf({ server, token: admin }: ControlPlane): { abuses: Abuse[]; close: () => void } {
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false })
  const { hostname, port } = new URL(server)

  function send({ method = 'POST', path, type = 'application/json', body, token = admin, headers }: Request) {
    return new Promise<string>((resolve) => {
      const outgoing = request(
        `${server}${path}`,
        { method, agent, headers: { authorization: `Bearer ${token}`, 'content-type': type, ...headers } },
        (response) => {
          response.resume()
          response.on('end', () => {
            resolve(String(response.statusCode))
          })
        },
      )
      outgoing.setTimeout(answerDeadlineMs, () => outgoing.destroy(new Error('none')))
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        resolve(error.code ?? error.message)
      })
      outgoing.end(body)
    })
  }

  /** Writes on a connection of its own until it is answered, closed, or `lastsMs` are over. */
  function raw(pieces: Iterable<string | Buffer>, { everyMs = 0, lastsMs = 3_000 } = {}): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect({
        host: hostname,
        port: Number(port),
        rejectUnauthorized: false,
        ALPNProtocols: ['http/1.1'],
      })
      const source: Iterator<string | Buffer, unknown> = pieces[Symbol.iterator]()
      let outcome = 'closed'
      const timer = setTimeout(() => {
        outcome = 'left'
        socket.destroy()
      }, lastsMs)
      const next = (): void => {
        const { value, done } = source.next()
        if (done === true || socket.destroyed) return
        if (everyMs > 0) {
          socket.write(value)
          setTimeout(next, everyMs)
        } else if (socket.write(value)) setImmediate(next)
        else socket.once('drain', next)
      }
      socket.on('secureConnect', next)
      socket.on('error', () => undefined)
      socket.on('data', (data: Buffer) => {
        outcome = /^HTTP\/1\.1 (\d+)/.exec(data.toString('latin1'))?.[1] ?? outcome
        socket.destroy()
      })
      socket.on('close', () => {
        clearTimeout(timer)
        resolve(outcome)
      })
    })
  }

  const head = (lines: string): string =>
    `POST ${maps} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${admin}\r\nContent-Type: application/json\r\n${lines}`
  function* hundredMebibytes(start: string, chunked: boolean): Generator<string | Buffer> {
    yield start
    const piece = Buffer.alloc(mebibyte, 0x20)
    for (let index = 0; index < 100; index += 1) {
      if (chunked) yield '100000\r\n'
      yield piece
      if (chunked) yield '\r\n'
    }
  }

  const create = (path: string, object: object): Promise<string> => send({ path, body: JSON.stringify(object) })
  const remove = (path: string): Promise<string> => send({ method: 'DELETE', path })
  const named = (name: string): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })
  const ofBody = (what: string, body: string | Buffer, rest: Partial<Request> = {}, atOnce = 2): Abuse => ({
    what,
    atOnce,
    attack: () => send({ path: maps, body, ...rest }),
    cleanUp: () => remove(`${maps}/abused`),
  })
  const applied = { method: 'PATCH', path: `${maps}/abused?fieldManager=abuse`, type: applyType }

  const keysOf = (size: number): string =>
    filled(
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"abused"},"data":{"z":""',
      (n) => `,"${n.toString(36)}":""`,
      '}}',
      size,
    )
  const jsonKeys = keysOf(limit)
  const unknownKeys = filled(
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"abused"}',
    (n) => `,"${n.toString(36)}":1`,
    '}',
  )
  const yamlKeys = filled(
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: abused\ndata:\n',
    (n) => `  k${n.toString(36)}: ""\n`,
    '',
  )
  const aliases = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: abused}\ndata:\n  a: &a ${'x'.repeat(limit / 4)}\n${Array.from({ length: 90 }, (_, n) => `  b${String(n)}: *a\n`).join('')}`

  const group = 'abuse.example.com'
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const policies = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies'
  const bindings = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings'
  const definition = (plural: string, spec: object): object => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Cluster',
      names: { plural, singular: plural.slice(0, -1), kind: `Kind${plural}`, listKind: `Kind${plural}List` },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
        },
      ],
    },
  })
  const custom = (plural: string, spec: unknown): string =>
    JSON.stringify({ apiVersion: `${group}/v1`, kind: `Kind${plural}`, metadata: { name: 'x' }, spec })
  const policy =
    (expression: string): (() => Promise<unknown>) =>
    async () => {
      await create(policies, {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name: 'abuse' },
        spec: {
          matchConstraints: {
            resourceRules: [
              { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] },
            ],
          },
          validations: [{ expression }],
        },
      })
      await create(bindings, {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicyBinding',
        metadata: { name: 'abuse' },
        spec: { policyName: 'abuse', validationActions: ['Deny'] },
      })
    }
  const noPolicy = (): Promise<unknown> => Promise.all([remove(`${policies}/abuse`), remove(`${bindings}/abuse`)])
  const thousand = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`k${String(n)}`, 'a'.repeat(100)]))
  const copies = JSON.stringify([
    ...Array.from({ length: 5000 }, (_, n) => ({ op: 'copy', from: '/data', path: `/metadata/x${String(n)}` })),
  ])
  const doubling = JSON.stringify(
    Array.from({ length: 60 }, (_, n) => ({ op: 'copy', from: '/data', path: `/data/x${String(n)}` })),
  )
  const tests = filled(
    '[{"op":"test","path":"/data/k1","value":""}',
    () => ',{"op":"add","path":"/data/k1","value":"1"}',
    ']',
  )
  const mapOfThousand = {
    prepare: () => create(maps, { ...named('copied'), data: thousand }),
    cleanUp: () => remove(`${maps}/copied`),
  }
  const patch = (what: string, body: string): Abuse => ({
    what,
    atOnce: 2,
    ...mapOfThousand,
    attack: () => send({ method: 'PATCH', path: `${maps}/copied`, type: 'application/json-patch+json', body }),
  })
  let wrong = 0

  const abuses: Abuse[] = [
    {
      what: '100 MiB body, declared',
      atOnce: 4,
      attack: () => raw(hundredMebibytes(head(`Content-Length: ${String(100 * mebibyte)}\r\n\r\n`), false)),
    },
    {
      what: '100 MiB body, chunked',
      atOnce: 4,
      attack: () => raw(hundredMebibytes(head('Transfer-Encoding: chunked\r\n\r\n'), true)),
    },
    ofBody('3 MiB of JSON keys', jsonKeys),
    ofBody('3 MiB of unknown fields', unknownKeys),
    ofBody('3 MiB of JSON keys, applied', jsonKeys, applied),
    ofBody('1 MiB of JSON keys', keysOf(mebibyte)),
    ofBody('1 MiB of JSON keys, applied', keysOf(mebibyte), applied),
    ofBody('3 MiB of YAML keys', yamlKeys, { type: 'application/yaml' }),
    ofBody('3 MiB of YAML keys, applied', yamlKeys, applied),
    ofBody('YAML aliases of a large text', aliases, { type: 'application/yaml' }),
    ofBody('3 MiB of JSON, broken at its end', jsonKeys.slice(0, -1)),
    ofBody('3 MiB of [', '['.repeat(limit - 1)),
    ofBody(
      '3 MiB of [], 100 deep',
      filled(`{"metadata":{"name":"abused"},"data":[0`, () => `,${'['.repeat(100)}${']'.repeat(100)}`, ']}'),
    ),
    {
      what: 'pattern (a+)+$ on 1 MiB',
      atOnce: 2,
      prepare: () => create(crds, definition('bombs', { type: 'string', pattern: '^(a+)+$' })),
      attack: () => send({ path: `/apis/${group}/v1/bombs`, body: custom('bombs', `${'a'.repeat(mebibyte)}!`) }),
      cleanUp: () => remove(`${crds}/bombs.${group}`),
    },
    ofBody(
      'CRD with a pattern of x{1000}{1000}',
      JSON.stringify(definition('sizes', { type: 'string', pattern: '((x{100}){100}){100}' })),
      { path: crds },
    ),
    ofBody(
      'CRD with an expensive rule',
      JSON.stringify(
        definition('rules', {
          type: 'array',
          items: { type: 'string' },
          'x-kubernetes-validations': [{ rule: 'self.all(a, self.all(b, self.all(c, a + b != c)))' }],
        }),
      ),
      { path: crds },
    ),
    ofBody(
      'CRD with a rule of 100 KB',
      JSON.stringify(
        definition('longs', {
          type: 'string',
          'x-kubernetes-validations': [
            { rule: `${'('.repeat(5000)}true${')'.repeat(5000)} && ${"self == 'a' || ".repeat(6000)}true` },
          ],
        }),
      ),
      { path: crds },
    ),
    {
      what: 'policy with loops in loops',
      atOnce: 2,
      prepare: policy(
        'object.data.all(a, object.data.all(b, object.data.all(c, object.data[a] + object.data[b] != c)))',
      ),
      attack: () => create(maps, { ...named('x'), data: thousand }),
      cleanUp: noPolicy,
    },
    {
      what: 'policy with a costly match',
      atOnce: 2,
      prepare: policy(
        "object.data.all(a, object.data[a].matches('^(a+)+$') && object.data.all(b, object.data[b].matches('(a|aa)+')))",
      ),
      attack: () => create(maps, { ...named('x'), data: thousand }),
      cleanUp: noPolicy,
    },
    {
      what: 'label selector of 60 KB',
      atOnce: 4,
      attack: () =>
        send({
          method: 'GET',
          path: `${maps}?labelSelector=${Array.from({ length: 6000 }, (_, n) => `a${n.toString(36)}!=b`).join(',')}`,
        }),
    },
    {
      what: 'label selector in of 200 KB',
      atOnce: 4,
      attack: () => send({ method: 'GET', path: `${maps}?labelSelector=a+in+(${'b,'.repeat(100_000)}c)` }),
    },
    {
      what: '2000 headers',
      atOnce: 8,
      attack: () =>
        raw([
          `GET /version HTTP/1.1\r\nHost: localhost\r\n${Array.from({ length: 2000 }, (_, n) => `x-${String(n)}: y\r\n`).join('')}\r\n`,
        ]),
    },
    {
      what: 'headers without end',
      atOnce: 8,
      attack: () =>
        raw(
          (function* () {
            yield 'GET /version HTTP/1.1\r\n'
            for (let n = 0; n < 1000; n += 1) yield `x-${String(n)}: ${'y'.repeat(8000)}\r\n`
          })(),
        ),
    },
    {
      what: 'a byte every 20 ms',
      atOnce: 200,
      attack: () => raw(head('Content-Length: 100000\r\n\r\n{'.padEnd(300)), { everyMs: 20, lastsMs: 2_500 }),
    },
    {
      what: 'truncated bodies',
      atOnce: 16,
      attack: () => raw([head('Content-Length: 1000\r\n\r\n{"kind":')], { lastsMs: 50 }),
    },
    ofBody('3 MiB of broken protobuf', Buffer.concat([Buffer.from('6b387300', 'hex'), Buffer.alloc(limit - 4, 0x0a)]), {
      type: 'application/vnd.kubernetes.protobuf',
    }),
    ofBody(
      '3 MiB of nested protobuf',
      Buffer.concat([
        Buffer.from('6b3873000a0f0a02763112', 'hex'),
        Buffer.from('09436f6e6669674d617012', 'hex'),
        Buffer.alloc(limit - 40, 0x12),
      ]),
      { type: 'application/vnd.kubernetes.protobuf' },
    ),
    ofBody('3 MiB of CBOR arrays', Buffer.concat([Buffer.from('d9d9f7', 'hex'), Buffer.alloc(limit - 3, 0x81)]), {
      type: 'application/cbor',
    }),
    ofBody('CBOR that promises 4 G entries', Buffer.from('d9d9f7bafffffffff0', 'hex'), { type: 'application/cbor' }),
    patch('JSON patch of 5000 copies', copies),
    patch('JSON patch that doubles 60 times', doubling),
    patch('JSON patch of 60,000 steps', tests.replace('{"op":"test","path":"/data/k1","value":""},', '')),
    {
      what: 'wrong tokens',
      atOnce: 16,
      attack: () => send({ method: 'GET', path: '/api/v1/pods', token: `wrong-${String((wrong += 1))}` }),
    },
    {
      what: 'wrong signed tokens',
      atOnce: 16,
      attack: () =>
        send({
          method: 'GET',
          path: '/api/v1/pods',
          token: `${Buffer.from('{"alg":"RS256","kid":"x"}').toString('base64url')}.${Buffer.from(JSON.stringify({ iss: 'https://kubernetes.default.svc.cluster.local', sub: 'x', n: (wrong += 1) })).toString('base64url')}.${'A'.repeat(342)}`,
        }),
    },
  ]
  return {
    abuses,
    close: () => {
      agent.destroy()
    },
  }
}
