// A well-behaved client in a process of its own: reads and small writes at an even pace. Started by abuse.ts with the server and the
// token in the environment; answers each message with the times since the last one.
import { Agent, request } from 'node:https'

export interface Testimony {
  readonly requests: number
  readonly failures: number
  /** In ms. */
  readonly p99: number
  readonly longest: number
}

/** Between two requests: 200 a second at most. */
const paceMs = 5
const writeEvery = 8

const { WITNESS_SERVER: server = '', WITNESS_TOKEN: token = '' } = process.env
const agent = new Agent({ keepAlive: true, rejectUnauthorized: false, maxSockets: 1 })

function send(method: string, path: string, body?: object): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/merge-patch+json' }
    const outgoing = request(`${server}${path}`, { method, agent, headers }, (response) => {
      response.resume()
      response.on('end', () => {
        resolve(response.statusCode ?? 0)
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

let times: number[] = []
let failures = 0
process.on('message', () => {
  const sorted = times.sort((a, b) => a - b)
  const testimony: Testimony = {
    requests: sorted.length,
    failures,
    p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    longest: sorted[sorted.length - 1] ?? 0,
  }
  times = []
  failures = 0
  process.send?.(testimony)
})

for (let count = 0; ; count += 1) {
  const started = performance.now()
  const code = await (
    count % writeEvery === 0
      ? send('PATCH', '/api/v1/namespaces/default', { metadata: { annotations: { seen: String(count) } } })
      : send('GET', '/api/v1/namespaces/default')
  ).catch(() => 0)
  times.push(performance.now() - started)
  if (code !== 200) failures += 1
  await new Promise((resolve) => setTimeout(resolve, paceMs))
}
