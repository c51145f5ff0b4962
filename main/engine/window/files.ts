// Serves the built window (dist/window) and the sign-in link, with a strict content security policy. Files are read once and kept.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { extname, join, relative, sep } from 'node:path'
import type { HttpRequest, HttpResponse } from '../../apiserver/apiserver.ts'
import type { WindowSessions } from './sessions.ts'

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.ico': 'image/x-icon',
}

// xterm sets element styles, therefore inline styles; scripts, frames and everything foreign are refused.
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const securityHeaders = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
}

interface WindowFile {
  content: Buffer
  type: string
  etag: string
  immutable: boolean
}

function readAll(folder: string): Map<string, WindowFile> {
  const files = new Map<string, WindowFile>()
  const visit = (current: string): void => {
    for (const name of readdirSync(current)) {
      const path = join(current, name)
      if (statSync(path).isDirectory()) visit(path)
      else {
        const content = readFileSync(path)
        const url = `/${relative(folder, path).split(sep).join('/')}`
        files.set(url, {
          content,
          type: types[extname(name)] ?? 'application/octet-stream',
          etag: `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`,
          immutable: url.startsWith('/assets/'),
        })
      }
    }
  }
  try {
    visit(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  return files
}

const apiPrefixes = [
  '/api',
  '/apis',
  '/openapi',
  '/healthz',
  '/livez',
  '/readyz',
  '/metrics',
  '/version',
  '/v2',
  '/.well-known',
  '/orrery/',
  '/logs',
]
const isApiPath = (path: string): boolean =>
  apiPrefixes.some((prefix) => path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`))

export function windowHandler(
  folder: string,
  sessions: WindowSessions,
): (req: HttpRequest, res: HttpResponse) => boolean {
  let files: Map<string, WindowFile> | undefined
  const answer = (
    res: HttpResponse,
    code: number,
    headers: Record<string, string>,
    body: Buffer | string = '',
  ): true => {
    for (const [name, value] of Object.entries({ ...securityHeaders, ...headers })) res.setHeader(name, value)
    res.statusCode = code
    ;(res as ServerResponse).end(body)
    return true
  }
  return (req, res) => {
    const url = new URL(req.url ?? '/', 'https://localhost')
    if (isApiPath(url.pathname)) return false
    const wantsPage = req.headers.accept?.includes('text/html') === true
    // A client that asks for JSON at "/" wants the API's list of paths, a browser wants the page.
    if (url.pathname === '/' && !wantsPage) return false
    if (req.method !== 'GET' && req.method !== 'HEAD')
      return answer(res, 405, { allow: 'GET, HEAD', 'content-type': 'text/plain' }, 'Only GET is served here.\n')
    if (url.pathname === '/sign-in') {
      const cookie = sessions.redeem(url.searchParams.get('token') ?? '')
      if (cookie === undefined)
        return answer(res, 303, { location: '/#/sign-in?expired=1', 'cache-control': 'no-store' })
      return answer(res, 303, { location: '/', 'set-cookie': cookie, 'cache-control': 'no-store' })
    }
    files ??= readAll(folder)
    const file = files.get(url.pathname) ?? (wantsPage ? files.get('/index.html') : undefined)
    if (!file) {
      const text = files.size === 0 ? 'The window is not built yet. Run: npm run build\n' : '404 page not found\n'
      return answer(res, files.size === 0 ? 503 : 404, { 'content-type': 'text/plain; charset=utf-8' }, text)
    }
    if (req.headers['if-none-match'] === file.etag) return answer(res, 304, { etag: file.etag })
    const cache = file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache'
    return answer(
      res,
      200,
      { 'content-type': file.type, etag: file.etag, 'cache-control': cache },
      req.method === 'HEAD' ? '' : file.content,
    )
  }
}
