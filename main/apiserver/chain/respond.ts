// Answers: JSON, YAML, protobuf or CBOR, pretty when asked, gzip when large and wanted, and Status bodies for every error.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createGzip, gzip } from 'node:zlib'
import { stringify as stringifyYaml } from 'yaml'
import type { StatusError } from '../../../common/machinery/status.ts'
import type { HttpRequest, HttpResponse } from '../apiserver.ts'
import { encodeCbor } from '../cbor/encode.ts'
import { cborMediaType } from '../cbor/media-types.ts'
import { protobufEncoder, protobufMediaType, type TypeMeta } from '../protobuf/encoder.ts'
import type { Encoding } from './negotiation.ts'

const compress = promisify(gzip)
/** Smaller answers cost more to compress than to send (upstream's threshold). */
const gzipThreshold = 128 * 1024
const compressionLevel = 1

type Headers = Record<string, string | string[]>

export interface Responder {
  readonly req: HttpRequest
  readonly res: HttpResponse
  readonly encoding: Encoding
  readonly pretty: boolean
  /** Of the body that was sent. */
  bytes?: number
  /** Warning header texts collected so far. */
  readonly warnings: string[]
  /** Of every answer to this request. */
  readonly headers: Record<string, string>
}

/** `text` is complete JSON. */
export async function sendJsonText(
  to: Responder,
  code: number,
  text: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (to.encoding === 'protobuf' || to.encoding === 'cbor')
    await sendObject(to, code, JSON.parse(text.toString()), headers)
  else if (to.encoding === 'yaml') {
    await sendBytes(
      to,
      code,
      'application/yaml',
      Buffer.from(stringifyYaml(JSON.parse(text.toString()), { aliasDuplicateObjects: false })),
      headers,
    )
  } else if (to.pretty) {
    await sendBytes(
      to,
      code,
      'application/json',
      Buffer.from(`${JSON.stringify(JSON.parse(text.toString()), undefined, 2)}\n`),
      headers,
    )
  } else await sendBytes(to, code, 'application/json', text, headers)
}

export async function sendObject(
  to: Responder,
  code: number,
  object: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (to.encoding === 'protobuf') await sendProtobufOrJson(to, code, object, headers)
  else if (to.encoding === 'cbor') await sendBytes(to, code, cborMediaType, encodeCbor(object), headers)
  else await sendJsonText(to, code, JSON.stringify(object), headers)
}

/** What has no protobuf form (a subresource of a custom kind) is still better told in JSON than not at all. */
async function sendProtobufOrJson(
  to: Responder,
  code: number,
  object: unknown,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  // The oldest discovery documents leave their apiVersion out.
  const typed = { apiVersion: 'v1', ...(object as Pick<TypeMeta, 'kind'> & Readonly<Record<string, unknown>>) }
  if (protobufEncoder().has(typed))
    await sendBytes(to, code, protobufMediaType, protobufEncoder().object(typed), headers)
  else await sendBytes(to, code, 'application/json', Buffer.from(JSON.stringify(object)), headers)
}

export async function sendBytes(
  to: Responder,
  code: number,
  contentType: string,
  bytes: Buffer | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { req, res } = to
  if (res.headersSent) return
  const all = headersOf(to, contentType, headers)
  // A string stays one: it leaves together with the headers, in one write and one TLS record.
  let body = bytes
  if (bytes.length >= gzipThreshold && headers['content-encoding'] === undefined && acceptsGzip(req)) {
    body = await compress(bytes, { level: compressionLevel })
    sayCompressed(all)
  }
  // A 304 says nothing of the body: a cache would take these for the stored answer's own.
  if (code === 304) delete all['content-type']
  else {
    to.bytes = Buffer.byteLength(body)
    all['content-length'] = String(to.bytes)
  }
  writeHead(res, code, all)
  if (req.method === 'HEAD') res.end()
  else endWith(res, body)
}

function headersOf(to: Responder, contentType: string, headers: Readonly<Record<string, string>>): Headers {
  const all: Headers = { 'content-type': contentType, 'cache-control': 'no-cache, private', ...to.headers, ...headers }
  if (to.warnings.length > 0) all['warning'] = to.warnings.map(warningHeader)
  return all
}

function sayCompressed(headers: Headers): void {
  headers['content-encoding'] = 'gzip'
  headers['vary'] = headers['vary'] === undefined ? 'Accept-Encoding' : `${String(headers['vary'])}, Accept-Encoding`
}

/**
 * A long answer of many pieces of text, sent while it is being made: other clients are served in between, the receiver works at
 * the same time, and it is never whole in memory. One that turns out short is sent like any other.
 */
export async function sendPieces(to: Responder, contentType: string, pieces: Iterable<string | Buffer>): Promise<void> {
  const chunks = chunksOf(pieces)
  const first = chunks.next()
  const second = chunks.next()
  if (first.done === true || second.done === true) {
    await sendBytes(to, 200, contentType, first.done === true ? '' : first.value)
    return
  }
  const { req, res } = to
  if (res.headersSent) return
  const all = headersOf(to, contentType, {})
  const compressed = acceptsGzip(req)
  if (compressed) sayCompressed(all)
  writeHead(res, 200, all)
  to.bytes = 0
  const body = counted(to, joined([first.value, second.value], chunks))
  if (req.method === 'HEAD') res.end()
  else if (compressed)
    await pipeline(Readable.from(body), createGzip({ level: compressionLevel }), (out) => writeAll(res, out))
  else await writeAll(res, body)
}

function* counted(to: Responder, chunks: Iterable<Buffer>): Generator<Buffer> {
  for (const chunk of chunks) {
    to.bytes = (to.bytes ?? 0) + chunk.length
    yield chunk
  }
}

function* joined<T>(...parts: readonly Iterable<T>[]): Generator<T> {
  for (const part of parts) yield* part
}

/** The client may leave at any time: that ends the work and is nobody's error. */
async function writeAll(res: HttpResponse, chunks: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void> {
  let wake: (() => void) | undefined
  let closed = false
  const proceed = (): void => {
    wake?.()
  }
  res.on('drain', proceed)
  res.on('close', () => {
    closed = true
    proceed()
  })
  for await (const chunk of chunks) {
    if (closed) return
    const { promise, resolve } = Promise.withResolvers<undefined>()
    wake = () => {
      resolve(undefined)
    }
    // Even a socket that takes everything at once must let the others have their turn.
    if (write(res, chunk)) setImmediate(proceed)
    await promise
  }
  if (!closed) res.end()
}

const write = (res: HttpResponse, chunk: Buffer): boolean => ('stream' in res ? res.write(chunk) : res.write(chunk))
/** Large enough that the cost of a write does not count, small enough to take well under a millisecond. */
const chunkBytes = 256 * 1024
/** A character takes three bytes at most (a pair of them four). */
const bytesPerCharacter = 3

function* chunksOf(pieces: Iterable<string | Buffer>): Generator<Buffer, undefined> {
  let chunk = Buffer.allocUnsafe(chunkBytes)
  let used = 0
  for (const piece of pieces) {
    const room = typeof piece === 'string' ? piece.length * bytesPerCharacter : piece.length
    if (used + room > chunk.length) {
      if (used > 0) yield chunk.subarray(0, used)
      chunk = Buffer.allocUnsafe(Math.max(chunkBytes, room))
      used = 0
    }
    used += typeof piece === 'string' ? chunk.write(piece, used) : piece.copy(chunk, used)
  }
  if (used > 0) yield chunk.subarray(0, used)
  return undefined
}

export async function sendStatusError(to: Responder, error: StatusError): Promise<void> {
  const headers: Record<string, string> = {}
  const retryAfter = error.status.details?.retryAfterSeconds
  if (retryAfter !== undefined) headers['retry-after'] = String(retryAfter)
  if (error.code === 403) headers['x-content-type-options'] = 'nosniff'
  if (error.code === 401) headers['www-authenticate'] = 'Bearer realm="kubernetes"'
  await sendObject(to, error.code, error.status, headers)
}

export async function sendText(
  to: Responder,
  code: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  await sendBytes(to, code, 'text/plain; charset=utf-8', Buffer.from(text), {
    'x-content-type-options': 'nosniff',
    ...headers,
  })
}

/** The two response classes have the same call with types that do not meet. */
export function writeHead(res: HttpResponse, code: number, headers: Record<string, string | string[]>): void {
  if ('stream' in res) res.writeHead(code, headers)
  else res.writeHead(code, headers)
}

export function endWith(res: HttpResponse, body: Buffer | string): void {
  if ('stream' in res) res.end(body)
  else res.end(body)
}

export const acceptsGzip = (req: HttpRequest): boolean =>
  /\bgzip\b(?!\s*;\s*q=0(\.0*)?(\s|,|$))/.test(String(req.headers['accept-encoding'] ?? ''))

/** RFC 7234 form with the code Kubernetes uses; the text may hold no control characters. */
function warningHeader(text: string): string {
  const clean = text.replaceAll(/[^\x20-\x7e]/g, ' ').replaceAll(/["\\]/g, '\\$&')
  return `299 - "${clean}"`
}
