import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createAuthority, issueCertificate } from '../pki/certificates.ts'
import { HttpServer } from './http-server.ts'

let server: HttpServer
let port = 0
const sockets: TLSSocket[] = []

beforeEach(async () => {
  const authority = await createAuthority('test')
  const own = await issueCertificate(authority, { commonName: 'server', dnsNames: ['localhost'], usages: ['server'] })
  server = new HttpServer(
    { cert: own.cert, key: own.key, clientCa: authority.cert },
    (_req, res) => res.end('answer'),
    (_req, socket) => socket.destroy(),
    { maxUnproven: 3 },
  )
  ;({ port } = await server.listen({ host: '127.0.0.1', port: 0 }))
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await server.close()
})

async function open(): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
  sockets.push(socket)
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  return socket
}

async function ask(socket: TLSSocket): Promise<string> {
  const answer = once(socket, 'data')
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
  const [chunk] = (await answer) as [Buffer]
  return chunk.toString()
}

test('of connections that say nothing the oldest gives way, those that asked stay', async () => {
  const proven = await open()
  expect(await ask(proven)).toContain('answer')
  const silent = [await open(), await open(), await open()]
  const closed = once(silent[0] as TLSSocket, 'close')
  const late = await open()
  await closed
  expect(silent.slice(1).map(({ destroyed }) => destroyed)).toEqual([false, false])
  expect(await ask(late)).toContain('answer')
  expect(await ask(proven)).toContain('answer')
})

test('shows each client the certificate of the name it asks for', async () => {
  const authority = await createAuthority('test')
  const issue = (name: string) =>
    issueCertificate(authority, { commonName: name, dnsNames: [name], usages: ['server'] })
  const [own, one, many] = await Promise.all([issue('localhost'), issue('one.example.com'), issue('*.example.com')])
  const named = new HttpServer(
    {
      ...own,
      clientCa: authority.cert,
      http2: false,
      named: [
        { ...one, names: ['one.example.com'] },
        { ...many, names: ['*.example.com'] },
      ],
    },
    (_req, res) => res.end('answer'),
    (_req, socket) => socket.destroy(),
  )
  const address = await named.listen({ host: '127.0.0.1', port: 0 })
  const seen = async (servername: string): Promise<unknown[]> => {
    const socket = connect({ ...address, servername, rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] })
    sockets.push(socket)
    await once(socket, 'secureConnect')
    return [socket.getPeerCertificate().subject.CN, socket.alpnProtocol]
  }
  expect(await seen('one.example.com')).toEqual(['one.example.com', 'http/1.1'])
  expect(await seen('two.example.com')).toEqual(['*.example.com', 'http/1.1'])
  expect(await seen('localhost')).toEqual(['localhost', 'http/1.1'])
  await named.close()
})
