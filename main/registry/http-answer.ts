// Answers of the distribution specification: coded errors as JSON, and the request and response forms shared by HTTP/1.1 and HTTP/2.
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'

export type RegistryRequest = IncomingMessage | Http2ServerRequest
export type RegistryResponse = ServerResponse | Http2ServerResponse

/** distribution-spec, "Error codes". */
export type ErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'UNSUPPORTED'

const statusOf: Record<ErrorCode, number> = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DENIED: 403,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 413,
  UNSUPPORTED: 405,
}

export class RegistryError extends Error {
  readonly code: ErrorCode
  readonly detail: unknown
  readonly status: number
  constructor(code: ErrorCode, message: string, options: { detail?: unknown; status?: number } = {}) {
    super(message)
    this.code = code
    this.detail = options.detail
    this.status = options.status ?? statusOf[code]
  }
}

export type AnswerHeaders = Record<string, string | number>

/** Ends the response. A HEAD answer keeps its headers and has no body. */
export function answer(
  response: RegistryResponse,
  status: number,
  headers: AnswerHeaders,
  body?: Buffer | string,
): void {
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  if (body !== undefined && headers['content-length'] === undefined)
    response.setHeader('content-length', Buffer.byteLength(body))
  // Http2ServerResponse and ServerResponse declare `end` differently; both take the body alone.
  if (body === undefined) response.end()
  else response.end(body)
}

export function answerJson(
  response: RegistryResponse,
  status: number,
  value: unknown,
  headers: AnswerHeaders = {},
): void {
  answer(response, status, { 'content-type': 'application/json', ...headers }, JSON.stringify(value))
}

export function answerError(response: RegistryResponse, error: RegistryError): void {
  answerJson(response, error.status, {
    errors: [
      { code: error.code, message: error.message, ...(error.detail === undefined ? {} : { detail: error.detail }) },
    ],
  })
}

export const headerOf = (headers: IncomingHttpHeaders, name: string): string | undefined => {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** The body, at most `limit` bytes. */
export async function readBody(request: RegistryRequest, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    const bytes: unknown = chunk
    if (!(bytes instanceof Uint8Array)) continue
    size += bytes.length
    if (size > limit) throw new RegistryError('SIZE_INVALID', `the body is larger than ${limit} bytes`)
    chunks.push(Buffer.from(bytes))
  }
  return Buffer.concat(chunks)
}
