// Downloads into the content cache: a file is known by its SHA-256, arrives under a temporary name, is checked, then renamed.
// Interrupted downloads are continued with a range request; files already present with the right size are not touched.
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { BuildProblem, explain } from './problem.ts'

export interface DownloadRequest {
  url: string
  target: string
  /** Lower-case hex. Without it the content is trusted by the caller's other means (a signature). */
  sha256?: string
  /** Expected bytes, when known. */
  size?: number
  signal?: AbortSignal
  onBytes?: (bytes: number) => void
}

const attempts = 3
/** A mirror that sends nothing for this long is given up and tried again. */
const stallMs = 30_000

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

const underWay = new Map<string, Promise<void>>()

/** Makes sure `target` holds the content. Idempotent; safe to call at the same time, also from several processes. */
export async function download(request: DownloadRequest): Promise<void> {
  const other = underWay.get(request.target)
  if (other !== undefined) return other
  const own = fetchOnce(request).finally(() => underWay.delete(request.target))
  underWay.set(request.target, own)
  return own
}

async function fetchOnce(request: DownloadRequest): Promise<void> {
  if (await isPresent(request)) return
  await mkdir(dirname(request.target), { recursive: true })
  const shared = `${request.target}.part`
  const partial = `${shared}-${process.pid}`
  // A part that an interrupted run left is claimed by renaming it, so that two processes never write the same file.
  await rename(shared, partial).catch(() => undefined)
  try {
    await fetchWithRetries(request, partial)
  } finally {
    await rename(partial, shared).catch(() => undefined)
  }
}

async function fetchWithRetries(request: DownloadRequest, partial: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await fetchInto(request, partial)
      await verify(request, partial)
      await rename(partial, request.target)
      return
    } catch (error) {
      const known = explain(error, `downloading ${request.url}`)
      if (known instanceof BuildProblem && known.code !== 'NoNetwork') {
        await rm(partial, { force: true })
        throw known
      }
      if (request.signal?.aborted === true)
        throw new BuildProblem({
          code: 'Aborted',
          message: `download of ${request.url} was stopped`,
          hint: 'Start again to continue.',
          cause: error,
        })
      if (attempt >= attempts) {
        if (known instanceof BuildProblem) throw known
        throw new BuildProblem({
          code: 'NoNetwork',
          message: `cannot download ${request.url}: ${reason(error)}`,
          hint: 'Check the network (and the proxy settings); another Debian mirror can be named with ORRERY_DEBIAN_MIRROR.',
          cause: error,
        })
      }
    }
  }
}

async function isPresent(request: DownloadRequest): Promise<boolean> {
  try {
    const found = await stat(request.target)
    return request.size === undefined || found.size === request.size
  } catch {
    return false
  }
}

async function fetchInto(request: DownloadRequest, partial: string): Promise<void> {
  const have = await stat(partial).then(
    (found) => found.size,
    () => 0,
  )
  if (request.size !== undefined && have === request.size) return
  const stalled = new AbortController()
  let timer = setTimeout(() => {
    stalled.abort()
  }, stallMs)
  try {
    const signal = request.signal === undefined ? stalled.signal : AbortSignal.any([request.signal, stalled.signal])
    const response = await fetch(request.url, { signal, headers: have > 0 ? { range: `bytes=${have}-` } : {} })
    if (response.status === 416) {
      await rm(partial, { force: true })
      throw new Error('the part already here does not fit; starting over')
    }
    if (!response.ok || response.body === null)
      throw new BuildProblem({
        code: 'NoNetwork',
        message: `cannot download ${request.url}: HTTP ${response.status} ${response.statusText}`.trimEnd(),
        hint: 'The mirror may be out of date; name another with ORRERY_DEBIAN_MIRROR and start again.',
      })
    const body = Readable.fromWeb(response.body)
    body.on('data', (chunk: Uint8Array) => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        stalled.abort()
      }, stallMs)
      request.onBytes?.(chunk.length)
    })
    await pipeline(body, createWriteStream(partial, { flags: response.status === 206 ? 'a' : 'w' }))
  } finally {
    clearTimeout(timer)
  }
}

async function verify(request: DownloadRequest, partial: string): Promise<void> {
  if (request.sha256 === undefined) return
  const actual = await sha256OfFile(partial)
  if (actual === request.sha256) return
  await rm(partial, { force: true })
  throw new BuildProblem({
    code: 'BadDigest',
    message: `${request.url} has SHA-256 ${actual}, expected ${request.sha256}`,
    hint: 'The download was damaged or altered on its way; try again or name another mirror with ORRERY_DEBIAN_MIRROR.',
  })
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause
  return cause instanceof Error ? cause.message : error.message
}

/** Runs `work` over `items`, at most `limit` at a time; stops at the first failure. */
export async function eachLimited<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  const lane = async (): Promise<void> => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane))
}
