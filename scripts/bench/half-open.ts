// Ten thousand connections that never finish their request, and what a well-behaved client notices of them. Against a running engine:
//   node scripts/bench/half-open.ts [CONNECTIONS]          (ORRERY_HOME says which engine; needs as many open files: ulimit -n)
import { readFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { connect, type TLSSocket } from 'node:tls'
import { runningEngine } from '../../main/engine/engine-info.ts'
import { defaultHome, homePaths } from '../../main/engine/paths.ts'

const count = Number(process.argv[2] ?? '10000')
const paths = homePaths(process.env['ORRERY_HOME'] ?? defaultHome())
const info = await runningEngine(paths)
if (info === undefined) throw new Error('no engine runs: start one with `orrery engine --no-machines`')
const { hostname, port } = new URL(info.server)
const { token } = JSON.parse(await readFile(paths.adminToken, 'utf8')) as { token: string }
const agent = new Agent({ keepAlive: true, rejectUnauthorized: false })

function get(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { hostname, port, path, agent, headers: { authorization: `Bearer ${token}` } }
    const outgoing = request(options, (response) => {
      response.resume()
      response.on('end', () => {
        resolve(response.statusCode ?? 0)
      })
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

/** The 99th percentile of so many reads one after another, in ms. */
async function measure(reads = 500): Promise<number> {
  const times: number[] = []
  for (let index = 0; index < reads; index += 1) {
    const started = performance.now()
    const code = await get('/api/v1/namespaces/default')
    if (code !== 200) throw new Error(`a well-behaved client got ${String(code)}`)
    times.push(performance.now() - started)
  }
  return times.sort((a, b) => a - b)[Math.floor(reads * 0.99)] ?? 0
}

async function residentMiB(): Promise<number> {
  const status = await readFile(`/proc/${String(info?.pid)}/status`, 'utf8').catch(() => '')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? '0') / 1024
}

const report = async (when: string): Promise<void> => {
  const p99 = await measure()
  process.stdout.write(`${when}: p99 of reads ${p99.toFixed(2)} ms, engine ${(await residentMiB()).toFixed(0)} MiB\n`)
}

await measure()
await report('alone')
const sockets: TLSSocket[] = []
let refused = 0
for (let opened = 0; opened < count; opened += 100) {
  const batch = Array.from({ length: Math.min(100, count - opened) }, (_, index) => {
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false })
    sockets.push(socket)
    return new Promise<void>((resolve) => {
      socket.on('error', () => undefined)
      socket.once('close', () => {
        if (!socket.authorized && socket.getProtocol() === null) refused += 1
        resolve()
      })
      socket.once('secureConnect', () => {
        socket.write(index % 2 === 0 ? 'GET /api HTTP/1.1\r\nhost: 127' : 'POST /api/v1/namespaces HTTP/1.1\r\n')
        resolve()
      })
    })
  })
  await Promise.all(batch)
}
process.stdout.write(`${String(sockets.length)} connections begun, ${String(refused)} refused\n`)
await report('with them')
for (const socket of sockets) socket.destroy()
await report('after them')
agent.destroy()
