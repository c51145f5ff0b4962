// HTTP and HTTPS probes: any answer from 200 to 399 is a success; certificates are not verified, redirects to other hosts not followed.
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Container, HTTPHeader, IntOrString } from '../../../common/api/generated/types.ts'

export interface ProbeResult {
  ok: boolean
  message: string
}

export interface HttpTarget {
  host?: string
  path?: string
  port: number
  scheme?: string
  httpHeaders?: readonly HTTPHeader[]
}

const maxBodyBytes = 10 * 1024
const maxRedirects = 10

export function httpProbe(target: HttpTarget, podIp: string, timeoutMs: number): Promise<ProbeResult> {
  const host = target.host === undefined || target.host === '' ? podIp : target.host
  const scheme = (target.scheme ?? 'HTTP').toLowerCase()
  const path = target.path === undefined || target.path === '' ? '/' : target.path
  const headers = Object.fromEntries((target.httpHeaders ?? []).map(({ name, value }) => [name.toLowerCase(), value]))
  const url = new URL(
    `${scheme}://${host.includes(':') ? `[${host}]` : host}:${String(target.port)}${path.startsWith('/') ? path : `/${path}`}`,
  )
  return fetchOnce(
    url,
    { 'user-agent': 'kube-probe/1.36', accept: '*/*', ...headers },
    Date.now() + timeoutMs,
    maxRedirects,
  )
}

function fetchOnce(
  url: URL,
  headers: Record<string, string>,
  deadline: number,
  redirects: number,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const failed = (why: string): void => {
      resolve({ ok: false, message: `Get "${url.href}": ${why}` })
    }
    const request = send(url, {
      headers,
      agent: false,
      rejectUnauthorized: false,
      signal: AbortSignal.timeout(Math.max(1, deadline - Date.now())),
    })
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (error.name === 'TimeoutError' || error.name === 'AbortError')
        failed('context deadline exceeded (Client.Timeout exceeded while awaiting headers)')
      else failed(describeConnectError(error, url))
    })
    request.on('response', (response) => {
      const status = response.statusCode ?? 0
      const { location } = response.headers
      if (status >= 300 && status < 400 && location !== undefined && redirects > 0) {
        const next = new URL(location, url)
        response.resume()
        // A redirect elsewhere is itself a healthy answer.
        if (next.hostname !== url.hostname) resolve({ ok: true, message: `Probe terminated redirects` })
        else resolve(fetchOnce(next, headers, deadline, redirects - 1))
        return
      }
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        if (body.length < maxBodyBytes) body += chunk
      })
      response.on('end', () => {
        const ok = status >= 200 && status < 400
        resolve({ ok, message: ok ? body : `HTTP probe failed with statuscode: ${String(status)}` })
      })
      response.on('error', (error: Error) => {
        failed(error.message)
      })
    })
    request.end()
  })
}

function describeConnectError(error: NodeJS.ErrnoException, url: URL): string {
  const target = `${url.hostname}:${url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port}`
  if (error.code === 'ECONNREFUSED') return `dial tcp ${target}: connect: connection refused`
  if (error.code === 'EHOSTUNREACH') return `dial tcp ${target}: connect: no route to host`
  if (error.code === 'ECONNRESET') return 'read: connection reset by peer'
  return error.message
}

/** A number, or the name of one of the container's ports. */
export function resolvePort(port: IntOrString, container: Pick<Container, 'ports'>): number {
  if (typeof port === 'number') return port
  const named = container.ports?.find(({ name }) => name === port)
  const number = named?.containerPort ?? Number(port)
  if (!Number.isInteger(number) || number < 1 || number > 65535)
    throw new Error(`couldn't find port: ${JSON.stringify(port)}`)
  return number
}
