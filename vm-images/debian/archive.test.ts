import { createServer, type Server } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openArchive } from './archive.ts'

let cache: string
let server: Server
let mirror: string
let answerWith: (url: string) => string | undefined

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'orrery-cache-'))
  server = createServer((request, response) => {
    const body = answerWith(request.url ?? '')
    response.writeHead(body === undefined ? 404 : 200).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  mirror = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}/debian`
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(cache, { recursive: true, force: true })
})

it('does not believe a mirror whose InRelease is not signed by Debian', async () => {
  answerWith = (url) => (url.endsWith('/InRelease') ? '<html>please log in to the hotel network</html>' : undefined)
  const archive = await openArchive({ suite: 'trixie', cache, mirror })
  await expect(archive.resolve('amd64', ['crun'])).rejects.toMatchObject({ code: 'BadSignature' })
})

it('names the address it cannot reach and what to do', async () => {
  answerWith = () => undefined
  const archive = await openArchive({ suite: 'trixie', cache, mirror })
  await expect(archive.resolve('amd64', ['crun'])).rejects.toMatchObject({
    code: 'NoNetwork',
    message: `cannot download ${mirror}/dists/trixie/InRelease: HTTP 404 Not Found`,
    hint: expect.stringContaining('ORRERY_DEBIAN_MIRROR') as string,
  })
})

it('needs no index for packages that are known by hash', async () => {
  const sha256 = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
  answerWith = (url) => (url === '/debian/pool/hello.deb' ? 'hello' : undefined)
  const archive = await openArchive({ suite: 'trixie', cache, mirror })
  const entry = { name: 'hello', version: '1', arch: 'all', filename: 'pool/hello.deb', sha256, size: 5 }
  expect((await archive.fetch([entry])).get('hello')).toBe(join(cache, 'debian', 'by-hash', `${sha256}.deb`))
  answerWith = () => undefined
  expect((await archive.fetch([entry])).size).toBe(1)
})
