// Answers: JSON, YAML or protobuf, pretty when asked, gzip when large and wanted, and Status bodies for every error.
import { gzip } from 'node:zlib'
import { promisify } from 'node:util'
import { stringify as stringifyYaml } from 'yaml'
import type { StatusError } from '../../../common/machinery/status.ts'
import type { HttpRequest, HttpResponse } from '../apiserver.ts'
import { protobufEncoder, protobufMediaType, type TypeMeta } from '../protobuf/encoder.ts'
import type { Encoding } from './negotiation.ts'

const compress = promisify(gzip)
/** Smaller answers cost more to compress than to send (upstream's threshold). */
const gzipThreshold = 128 * 1024

export interface Responder {
  readonly req: HttpRequest
  readonly res: HttpResponse
  readonly encoding: Encoding
  readonly pretty: boolean
  /** Warning header texts collected so far. */
  readonly warnings: string[]
}

/** `text` is complete JSON. */
export async function sendJsonText(
  to: Responder,
  code: number,
  text: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (to.encoding === 'protobuf') await sendProtobufOrJson(to, code, JSON.parse(text.toString()), headers)
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
  } else await sendBytes(to, code, 'application/json', typeof text === 'string' ? Buffer.from(text) : text, headers)
}

export async function sendObject(
  to: Responder,
  code: number,
  object: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (to.encoding === 'protobuf') await sendProtobufOrJson(to, code, object, headers)
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
  bytes: Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { req, res } = to
  if (res.headersSent) return
  const all: Record<string, string | string[]> = {
    'content-type': contentType,
    'cache-control': 'no-cache, private',
    ...headers,
  }
  if (to.warnings.length > 0) all['warning'] = to.warnings.map(warningHeader)
  let body = bytes
  if (bytes.length >= gzipThreshold && headers['content-encoding'] === undefined && acceptsGzip(req)) {
    body = await compress(bytes, { level: 1 })
    all['content-encoding'] = 'gzip'
    all['vary'] = all['vary'] === undefined ? 'Accept-Encoding' : `${String(all['vary'])}, Accept-Encoding`
  }
  // A 304 says nothing of the body: a cache would take these for the stored answer's own.
  if (code === 304) delete all['content-type']
  else all['content-length'] = String(body.length)
  writeHead(res, code, all)
  if (req.method === 'HEAD') res.end()
  else endWith(res, body)
}

export async function sendStatusError(to: Responder, error: StatusError): Promise<void> {
  const headers: Record<string, string> = {}
  const retryAfter = error.status.details?.retryAfterSeconds
  if (retryAfter !== undefined) headers['retry-after'] = String(retryAfter)
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
