// Blobs over HTTP: download with ranges, upload in one piece, in chunks, or by mounting what is already here.
import { pipeline } from 'node:stream/promises'
import { requireDigest, type Operation } from './operation.ts'
import { answer, headerOf, RegistryError } from './http-answer.ts'

export async function getBlob(operation: Operation): Promise<void> {
  const { blobs, request, response } = operation
  const digest = requireDigest(operation.target)
  const size = await blobs.size(digest)
  if (size === undefined) throw new RegistryError('BLOB_UNKNOWN', 'blob unknown to registry', { detail: digest })
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    etag: `"${digest}"`,
    'accept-ranges': 'bytes',
  }
  if (request.method === 'HEAD') {
    answer(response, 200, { ...headers, 'content-length': size })
    return
  }
  const range = parseRange(headerOf(request.headers, 'range'), size)
  if (range === 'unsatisfiable') {
    answer(response, 416, { 'content-range': `bytes */${size}`, 'content-length': 0 })
    return
  }
  response.statusCode = range === undefined ? 200 : 206
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.setHeader('content-length', range === undefined ? size : range.end - range.start + 1)
  if (range !== undefined) response.setHeader('content-range', `bytes ${range.start}-${range.end}/${size}`)
  if (size === 0) response.end()
  else await pipeline(blobs.read(digest, range), response).catch(ignoreClosed)
}

/** A client that goes away in the middle of a download is no failure of the registry. */
function ignoreClosed(error: unknown): void {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (
    code !== 'ERR_STREAM_PREMATURE_CLOSE' &&
    code !== 'ECONNRESET' &&
    code !== 'EPIPE' &&
    code !== 'ERR_STREAM_DESTROYED' &&
    code !== 'ERR_HTTP2_INVALID_STREAM'
  )
    throw error
}

/** One "bytes=a-b" range (RFC 9110); several ranges are answered with the whole. */
export function parseRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (match === null || (match[1] === '' && match[2] === '')) return undefined
  const suffix = match[1] === ''
  const start = suffix ? Math.max(0, size - Number(match[2])) : Number(match[1])
  const end = suffix || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1)
  return start > end ? 'unsatisfiable' : { start, end }
}

export async function postUpload(operation: Operation): Promise<void> {
  const { blobs, query, request, response, clientName } = operation
  const mount = query.get('mount')
  if (mount !== null && (await blobs.size(requireDigest(mount))) !== undefined) {
    answerCreated(operation, mount)
    return
  }
  const id = await blobs.startUpload()
  const digest = query.get('digest')
  if (digest !== null) {
    await blobs.appendUpload(id, request)
    await finish(operation, id, digest)
    return
  }
  request.resume()
  answer(response, 202, {
    location: `/v2/${clientName}/blobs/uploads/${id}`,
    range: '0-0',
    'docker-upload-uuid': id,
    'content-length': 0,
  })
}

export async function getUpload(operation: Operation): Promise<void> {
  answerProgress(operation, 204, await operation.blobs.uploadSize(operation.target))
}

export async function patchUpload(operation: Operation): Promise<void> {
  const { blobs, request, target } = operation
  if (!(await atOffset(operation))) return
  answerProgress(operation, 202, await blobs.appendUpload(target, request))
}

export async function putUpload(operation: Operation): Promise<void> {
  const { blobs, query, request, target } = operation
  const digest = requireDigest(query.get('digest') ?? '')
  if (!(await atOffset(operation))) return
  await blobs.appendUpload(target, request)
  await finish(operation, target, digest)
}

export async function deleteUpload(operation: Operation): Promise<void> {
  await operation.blobs.cancelUpload(operation.target)
  answer(operation.response, 204, {})
}

/** A chunk must start where the last one ended; otherwise 416 tells the client where to go on. */
async function atOffset(operation: Operation): Promise<boolean> {
  const size = await operation.blobs.uploadSize(operation.target)
  const range = /^(?:bytes[ =])?(\d+)-(\d+)/.exec(headerOf(operation.request.headers, 'content-range') ?? '')
  if (range === null || Number(range[1]) === size) return true
  operation.request.resume()
  answerProgress(operation, 416, size)
  return false
}

async function finish(operation: Operation, id: string, digest: string): Promise<void> {
  try {
    await operation.blobs.finishUpload(id, requireDigest(digest))
  } catch (error) {
    // Wrong content cannot become right by adding to it.
    await operation.blobs.cancelUpload(id).catch(() => undefined)
    throw error
  }
  answerCreated(operation, digest)
}

function answerCreated({ response, clientName }: Operation, digest: string): void {
  answer(response, 201, {
    location: `/v2/${clientName}/blobs/${digest}`,
    'docker-content-digest': digest,
    'content-length': 0,
  })
}

function answerProgress({ response, clientName, target }: Operation, status: number, size: number): void {
  answer(response, status, {
    location: `/v2/${clientName}/blobs/uploads/${target}`,
    range: `0-${Math.max(0, size - 1)}`,
    'docker-upload-uuid': target,
    ...(status === 204 ? {} : { 'content-length': 0 }),
  })
}
