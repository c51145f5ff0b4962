// A local stream address. Unix sockets where they exist (their folder is private to the user), loopback TCP on Windows,
// where Node cannot open AF_UNIX sockets.
import { mkdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { platform } from 'node:os'
import { dirname } from 'node:path'

export type Endpoint =
  | { readonly type: 'unix'; readonly path: string }
  | { readonly type: 'tcp'; readonly host: string; readonly port: number }

/** An endpoint for a socket that shall live at `path`: a stale socket file is removed; on Windows a free loopback port instead. */
export async function newEndpoint(path: string): Promise<Endpoint> {
  if (platform() === 'win32') return { type: 'tcp', host: '127.0.0.1', port: await freePort() }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await rm(path, { force: true })
  return { type: 'unix', path }
}

/** What net.connect and server.listen take. */
export const socketOptions = (endpoint: Endpoint): { path: string } | { host: string; port: number } =>
  endpoint.type === 'unix' ? { path: endpoint.path } : { host: endpoint.host, port: endpoint.port }

export const formatEndpoint = (endpoint: Endpoint): string =>
  endpoint.type === 'unix' ? endpoint.path : `${endpoint.host}:${String(endpoint.port)}`

/** True when nothing listens on this loopback port now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => {
      resolve(false)
    })
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      server.close(() => {
        resolve(true)
      })
    })
  })
}

/** A loopback port the kernel picked, free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port: 0, exclusive: true }, () => {
      const address = server.address()
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port was assigned'))
        else resolve(address.port)
      })
    })
  })
}
