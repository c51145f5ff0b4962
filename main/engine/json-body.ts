// Small JSON bodies of the engine's own subresources.
import type { ServerResponse } from 'node:http'
import { badRequest, requestTooLarge } from '../../common/machinery/status.ts'
import type { HttpRequest, HttpResponse } from '../apiserver/apiserver.ts'

const maxBytes = 64 * 1024

export async function readJson(req: HttpRequest): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req) {
    size += (chunk as Buffer).length
    if (size > maxBytes) throw requestTooLarge(`the body may have at most ${String(maxBytes)} bytes`)
    chunks.push(chunk as Buffer)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (error) {
    throw badRequest(`the body is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

export function sendJson(res: HttpResponse, code: number, body: unknown): void {
  res.statusCode = code
  res.setHeader('content-type', 'application/json')
  ;(res as ServerResponse).end(`${JSON.stringify(body)}\n`)
}
