// What must not happen to a lab: lost writes, two engines on one home, a silent wrong start, a crash from garbage.
import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { request } from 'node:https'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startControlPlane, type ControlPlane } from '../harness/control-plane.ts'
import { eventually } from '../harness/eventually.ts'
import { orrery } from '../harness/programs.ts'

let plane: ControlPlane
beforeEach(async () => {
  plane = await startControlPlane()
})
afterEach(async () => {
  await plane.stop()
})

async function token(): Promise<string> {
  return (JSON.parse(await readFile(plane.paths.adminToken, 'utf8')) as { token: string }).token
}

function call(
  method: string,
  path: string,
  options: { headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<{ code: number; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(path, plane.info.server),
      { method, headers: options.headers, rejectUnauthorized: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          resolve({ code: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(options.body)
  })
}

describe('kill -9', () => {
  it('loses nothing that was acknowledged, and workloads go on', async () => {
    await plane.ok('create deployment web --image=hello:1.0 --replicas=2')
    await eventually('pods', async () => (await plane.ok('get pods -o name')).trim().split('\n').length === 2)
    const authorization = `Bearer ${await token()}`
    const acknowledged: string[] = []
    let stopped = false
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let index = 0; !stopped; index += 1) {
        const name = `w${String(writer)}-${String(index)}`
        try {
          const { code } = await call('POST', '/api/v1/namespaces/default/configmaps', {
            headers: { authorization, 'content-type': 'application/json' },
            body: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value: name } }),
          })
          if (code === 201) acknowledged.push(name)
        } catch {
          return
        }
      }
    })
    await eventually('some writes', async () => acknowledged.length > 100)
    await plane.kill()
    stopped = true
    await Promise.all(writers)
    await plane.restart()
    const present = new Set(
      (await plane.ok('get configmaps -o name'))
        .trim()
        .split('\n')
        .map((line) => line.slice('configmap/'.length)),
    )
    expect(acknowledged.filter((name) => !present.has(name))).toEqual([])
    await plane.ok('scale deployment web --replicas=4')
    await eventually('four pods', async () => (await plane.ok('get pods -o name')).trim().split('\n').length === 4)
  })
})

describe('a second engine', () => {
  it('is refused on the same home and says who has it', async () => {
    const second = await orrery(plane.home, ['engine', '--no-machines', '--listen', '127.0.0.1:0'])
    expect(second.code).not.toBe(0)
    expect(second.stderr).toContain(`process ${String(plane.info.pid)}`)
    expect(second.stderr).toContain('orrery down')
  })

  it('is told that a port is taken', async () => {
    const home = await mkdtemp(join(tmpdir(), 'orrery-home-'))
    const second = await orrery(home, ['engine', '--no-machines', '--listen', new URL(plane.info.server).host])
    await rm(home, { recursive: true, force: true })
    expect(second.code).toBe(1)
    expect(second.stderr).toContain('is in use')
    expect(second.stderr).toContain('--listen')
  })
})

describe('a damaged store', () => {
  it('is opened again after it was cut off in the middle of a write', async () => {
    for (const name of ['a', 'b', 'c']) await plane.ok(`create configmap ${name} --from-literal=k=v`)
    await plane.kill()
    const wal = `${plane.paths.store}-wal`
    const size = (await readFile(wal)).length
    expect(size).toBeGreaterThan(0)
    // The last frame of the log is half written, as after a power cut.
    await truncate(wal, size - 1000)
    await plane.restart()
    expect(await plane.ok('get configmaps -o name')).toContain('configmap/a')
    await plane.ok('create configmap after --from-literal=k=v')
  })

  it('is refused with what to do when it is no store at all', async () => {
    await plane.kill()
    await copyFile(plane.paths.store, `${plane.paths.store}.good`)
    await rm(`${plane.paths.store}-wal`, { force: true })
    await rm(`${plane.paths.store}-shm`, { force: true })
    await writeFile(plane.paths.store, randomBytes(64 * 1024))
    const { code, stderr } = await orrery(plane.home, ['engine', '--no-machines', '--listen', '127.0.0.1:0'])
    expect(code).toBe(1)
    expect(stderr).toContain(plane.paths.store)
  })
})

describe('whoever knocks', () => {
  it('gets 401 with a wrong token and 403 without the right', async () => {
    const wrong = await call('GET', '/api/v1/pods', { headers: { authorization: 'Bearer wrong' } })
    expect(wrong.code).toBe(401)
    expect(JSON.parse(wrong.body)).toMatchObject({ kind: 'Status', reason: 'Unauthorized', code: 401 })
    const nobody = await call('GET', '/api/v1/pods')
    expect([401, 403]).toContain(nobody.code)
    expect((await call('GET', '/livez')).code).toBe(200)
  })

  it('is refused under a foreign host name or origin', async () => {
    const authorization = `Bearer ${await token()}`
    expect(
      (await call('GET', '/api/v1/pods', { headers: { authorization, host: 'evil.example' } })).code,
    ).toBeGreaterThanOrEqual(400)
    expect(
      (await call('GET', '/api/v1/pods', { headers: { authorization, origin: 'https://evil.example' } })).code,
    ).toBeGreaterThanOrEqual(400)
  })

  it('cannot bring it down with garbage, oversized or unfinished requests', async () => {
    const authorization = `Bearer ${await token()}`
    const { hostname, port } = new URL(plane.info.server)
    const plain = connectTcp(Number(port), hostname)
    plain.on('error', () => undefined).resume()
    plain.write(randomBytes(4096))
    await once(plain, 'close')
    const tls = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false })
    tls.on('error', () => undefined).resume()
    await once(tls, 'secureConnect')
    tls.write('GET \u0000\u0001 HTTP/9.9\r\n\r\n')
    await once(tls, 'close')
    const json = { authorization, 'content-type': 'application/json' }
    expect(
      (await call('POST', '/api/v1/namespaces/default/configmaps', { headers: json, body: '{"half":' })).code,
    ).toBe(400)
    expect(
      (await call('POST', '/api/v1/namespaces/default/configmaps', { headers: json, body: `[${'['.repeat(100_000)}` }))
        .code,
    ).toBe(400)
    expect(
      (
        await call('POST', '/api/v1/namespaces/default/configmaps', {
          headers: json,
          body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"p"},"__proto__":{"polluted":true},"data":{"__proto__":"x"}}',
        })
      ).code,
    ).toBeLessThan(500)
    const large = await call('POST', '/api/v1/namespaces/default/configmaps', {
      headers: json,
      body: Buffer.alloc(8 << 20, 0x20),
    }).catch((error: Error) => ({ code: 413, body: error.message }))
    expect(large.code).toBe(413)
    expect((await call('GET', '/%ff%fe/..//api', { headers: { authorization } })).code).toBeLessThan(500)
    const half = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false })
    half.on('error', () => undefined)
    half.write('POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\ncontent-length: 100\r\n')
    expect(await plane.ok('get namespaces -o name')).toContain('namespace/default')
    half.destroy()
  })
})
