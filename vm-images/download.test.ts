import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../common/client/testing/eventually.ts'
import { download, eachLimited } from './download.ts'

const content = Buffer.from('0123456789'.repeat(1000))
const sha256 = createHash('sha256').update(content).digest('hex')

describe('download', () => {
  let folder: string
  let server: Server
  let url: string
  let requests: IncomingMessage[]
  let respond: (request: IncomingMessage, response: ServerResponse) => void

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'orrery-download-'))
    requests = []
    server = createServer((request, response) => {
      requests.push(request)
      respond(request, response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    url = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}/file`
  })
  afterEach(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await rm(folder, { recursive: true, force: true })
  })

  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    response.writeHead(from > 0 ? 206 : 200).end(content.subarray(from))
  }
  const request = (): Parameters<typeof download>[0] => ({
    url,
    target: join(folder, 'file'),
    sha256,
    size: content.length,
  })

  it('fetches once, and once only when asked twice at the same time', async () => {
    respond = serve
    await Promise.all([download(request()), download(request())])
    await download(request())
    expect(requests).toHaveLength(1)
    expect(await readFile(join(folder, 'file'))).toEqual(content)
    expect(await readdir(folder)).toEqual(['file'])
  })

  it('goes on where a broken connection ended', async () => {
    respond = (incoming, response) => {
      if (requests.length > 1) serve(incoming, response)
      else {
        response.writeHead(200, { 'content-length': content.length })
        response.write(content.subarray(0, 4000))
        // Breaks once the first part is on disk: a reset could overtake bytes that are still on their way.
        const partSize = async (): Promise<number> => {
          const part = (await readdir(folder)).find((name) => name.startsWith('file.part'))
          return part === undefined ? 0 : (await stat(join(folder, part))).size
        }
        void eventually(async () => (await partSize()) > 0).finally(() => response.destroy())
      }
    }
    await download(request())
    expect(await readFile(join(folder, 'file'))).toEqual(content)
    expect(requests[1]?.headers.range).toMatch(/^bytes=[1-9]\d*-$/)
  })

  it('goes on where an earlier run ended', async () => {
    respond = serve
    await writeFile(join(folder, 'file.part'), content.subarray(0, 2500))
    await download(request())
    expect(requests[0]?.headers.range).toBe('bytes=2500-')
    expect(await readFile(join(folder, 'file'))).toEqual(content)
  })

  it('throws away what has another hash', async () => {
    respond = (_, response) => response.end(Buffer.alloc(content.length, 1))
    await expect(download(request())).rejects.toMatchObject({ code: 'BadDigest' })
    expect(await readdir(folder)).toEqual([])
  })

  it('gives up with the address and the remedy when nobody answers', async () => {
    await expect(download({ ...request(), url: 'http://127.0.0.1:1/file' })).rejects.toMatchObject({
      code: 'NoNetwork',
      message: expect.stringContaining('http://127.0.0.1:1/file') as string,
    })
  })

  it('stops when told to', async () => {
    const stop = new AbortController()
    respond = (_, response) => {
      response.write('x')
      stop.abort()
    }
    await expect(download({ ...request(), signal: stop.signal })).rejects.toMatchObject({ code: 'Aborted' })
  })
})

it('eachLimited runs no more than the limit at once and stops at the first failure', async () => {
  let running = 0
  let most = 0
  const done: number[] = []
  await eachLimited([1, 2, 3, 4, 5], 2, async (item) => {
    most = Math.max(most, ++running)
    await Promise.resolve()
    running--
    done.push(item)
  })
  expect([most, done.length]).toEqual([2, 5])
  await expect(eachLimited([1, 2], 1, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
})
