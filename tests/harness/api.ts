// The API as raw HTTP: what a test sends is what goes over the wire, and what comes back is shown as it came.
import { readFile } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import type { ControlPlane } from './control-plane.ts'

export interface Answer<T = unknown> {
  code: number
  headers: IncomingHttpHeaders
  text: string
  /** The parsed body; undefined when it is not JSON. */
  body: T
}

export interface CallOptions {
  headers?: Record<string, string>
  /** Text and bytes are sent as they are; anything else as JSON. */
  body?: unknown
}

/** One line of a watch stream. */
export interface WatchLine {
  type: string
  object: {
    kind: string
    code?: number
    reason?: string
    metadata: { name?: string; resourceVersion?: string; annotations?: Record<string, string> }
  }
}

export interface Api {
  readonly token: string
  call<T = unknown>(method: string, path: string, options?: CallOptions): Promise<Answer<T>>
  get<T = unknown>(path: string, headers?: Record<string, string>): Promise<Answer<T>>
  post<T = unknown>(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer<T>>
  put<T = unknown>(path: string, body: unknown): Promise<Answer<T>>
  /** `type`: "merge", "json", "strategic" or "apply". */
  patch<T = unknown>(path: string, type: keyof typeof patchTypes, body: unknown): Promise<Answer<T>>
  delete<T = unknown>(path: string, body?: unknown): Promise<Answer<T>>
  /** Lines of a watch until it ends or `until` says so. */
  watch(path: string, until?: (lines: readonly WatchLine[]) => boolean): Promise<WatchLine[]>
  close(): void
}

const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
}

export async function openApi(plane: ControlPlane): Promise<Api> {
  const { token } = JSON.parse(await readFile(plane.paths.adminToken, 'utf8')) as { token: string }
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false })
  const authorization = `Bearer ${token}`
  const call: Api['call'] = (method, path, { headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const raw = typeof body === 'string' || Buffer.isBuffer(body)
      const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(raw ? body : JSON.stringify(body))
      const outgoing = request(
        new URL(path, plane.info.server),
        {
          method,
          agent,
          headers: {
            authorization,
            // Said always: without it Node sends bodies of DELETE that nobody can tell from the next request.
            ...(body === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': String(bytes.length) }),
            ...headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8')
            let parsed: unknown
            try {
              parsed = JSON.parse(text)
            } catch {
              parsed = undefined
            }
            resolve({ code: response.statusCode ?? 0, headers: response.headers, text, body: parsed as never })
          })
        },
      )
      outgoing.on('error', reject)
      outgoing.end(bytes)
    })
  return {
    token,
    call,
    get: (path, headers) => call('GET', path, headers === undefined ? {} : { headers }),
    post: (path, body, headers) => call('POST', path, { body, ...(headers === undefined ? {} : { headers }) }),
    put: (path, body) => call('PUT', path, { body }),
    patch: (path, type, body) => call('PATCH', path, { body, headers: { 'content-type': patchTypes[type] } }),
    delete: (path, body) => call('DELETE', path, { body }),
    watch: (path, until = () => false) =>
      new Promise((resolve, reject) => {
        const lines: WatchLine[] = []
        const outgoing = request(
          new URL(path, plane.info.server),
          { agent, headers: { authorization } },
          (response) => {
            let rest = ''
            response.on('data', (chunk: Buffer) => {
              const parts = (rest + chunk.toString('utf8')).split('\n')
              rest = parts.pop() ?? ''
              for (const part of parts) lines.push(JSON.parse(part) as WatchLine)
              if (until(lines)) {
                outgoing.destroy()
                resolve(lines)
              }
            })
            response.on('error', reject)
            response.on('end', () => {
              resolve(lines)
            })
          },
        )
        outgoing.on('error', reject)
        outgoing.end()
      }),
    close() {
      agent.destroy()
    },
  }
}
