// Answers on HTTP/2 streams: plain bodies, JSON, and errors as Status JSON.
import type { ServerHttp2Stream } from 'node:http2'
import { StatusError, internalError } from '../../../common/machinery/status.ts'
import { describeError } from '../logger.ts'

export function answerJson(stream: ServerHttp2Stream, code: number, body: unknown): void {
  if (stream.destroyed || stream.headersSent) return
  stream.respond({ ':status': code, 'content-type': 'application/json' })
  stream.end(JSON.stringify(body))
}

export function answerText(stream: ServerHttp2Stream, code: number, text: string): void {
  if (stream.destroyed || stream.headersSent) return
  stream.respond({ ':status': code, 'content-type': 'text/plain; charset=utf-8' })
  stream.end(text)
}

export function answerError(stream: ServerHttp2Stream, error: unknown): void {
  const status = (error instanceof StatusError ? error : internalError(describeError(error))).status
  if (stream.headersSent) stream.destroy()
  else answerJson(stream, status.code, status)
}
