import 'reflect-metadata'
import { webcrypto, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { expect, it } from 'vitest'
import { createAuthority } from './certificates.ts'
import { readCertificateRequest, signCertificateRequest } from './certificate-requests.ts'

async function newRequest(): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ O: ['system:nodes'] }, { CN: ['system:node:a'] }],
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'a' },
        { type: 'ip', value: '10.0.0.1' },
      ]),
    ],
  })
  return request.toString('pem')
}

it('reads what is asked for and signs it, never beyond the life of the authority', async () => {
  const pem = await newRequest()
  expect(await readCertificateRequest(pem)).toEqual({
    commonName: 'system:node:a',
    organizations: ['system:nodes'],
    dnsNames: ['a'],
    ipAddresses: ['10.0.0.1'],
    emailAddresses: [],
    uris: [],
  })
  const authority = await createAuthority('ca')
  const ca = new X509Certificate(authority.cert)
  const usages = ['digital signature', 'client auth', 'server auth']
  const notAfterMs = Date.now() + 3600_000
  const certificate = new X509Certificate(await signCertificateRequest(authority, { pem, usages, notAfterMs }))
  expect(certificate.verify(ca.publicKey)).toBe(true)
  expect(certificate.subject).toBe('O=system:nodes\nCN=system:node:a')
  expect(certificate.subjectAltName).toBe('DNS:a, IP Address:10.0.0.1')
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1'])
  expect(Math.abs(Date.parse(certificate.validTo) - notAfterMs)).toBeLessThan(2000)
  const forever = await signCertificateRequest(authority, { pem, usages, notAfterMs: Date.now() * 2 })
  expect(new X509Certificate(forever).validTo).toBe(ca.validTo)
})

it('refuses what is no request', async () => {
  await expect(readCertificateRequest('hello')).rejects.toThrow('PEM block type must be CERTIFICATE REQUEST')
  const broken = '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n'
  await expect(readCertificateRequest(broken)).rejects.toThrow('not a PKCS #10 structure')
})
