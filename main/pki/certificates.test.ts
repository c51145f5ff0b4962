import { createServer, connect, type TLSSocket } from 'node:tls'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { createAuthority, issueCertificate, needsRenewal, publicKeyHash } from './certificates.ts'

it('issues certificates that both ends of a mutual TLS connection accept', async () => {
  const authority = await createAuthority('test-ca')
  const server = await issueCertificate(authority, {
    commonName: 'server',
    addresses: ['127.0.0.1'],
    usages: ['server'],
  })
  const client = await issueCertificate(authority, {
    commonName: 'orrery-admin',
    organizations: ['system:masters'],
    usages: ['client'],
  })
  const listener = createServer({ ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: true })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const accepted = once(listener, 'secureConnection') as Promise<[TLSSocket]>
  const socket = connect({
    port: (listener.address() as AddressInfo).port,
    host: '127.0.0.1',
    ca: authority.cert,
    ...client,
  })
  await once(socket, 'secureConnect')
  expect(socket.authorized).toBe(true)
  const [peer] = await accepted
  expect(peer.getPeerCertificate().subject).toMatchObject({ CN: 'orrery-admin', O: 'system:masters' })
  socket.destroy()
  listener.close()
})

it('asks for renewal near the end of life and under a foreign authority', async () => {
  const authority = await createAuthority('a')
  const pair = await issueCertificate(authority, { commonName: 'x', usages: ['client'], validYears: 1 })
  expect(await needsRenewal(pair.cert, authority, 30)).toBe(false)
  expect(await needsRenewal(pair.cert, authority, 400)).toBe(true)
  expect(await needsRenewal(pair.cert, await createAuthority('b'), 30)).toBe(true)
  expect(await publicKeyHash(pair.cert)).toMatch(/^[A-Za-z0-9+/]{43}=$/)
})
