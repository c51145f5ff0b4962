import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { expect, it } from 'vitest'
import { commonNameOf, organizationsOf } from './certificate-subject.ts'

it('finds the organizations and the name a request asks for', async () => {
  x509.cryptoProvider.set(webcrypto)
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=eve, O=system:masters, O=others',
    keys,
    signingAlgorithm: algorithm,
  })
  expect(organizationsOf(request.toString('pem'))).toEqual(['system:masters', 'others'])
  expect(commonNameOf(request.toString('pem'))).toBe('eve')
})

it('finds none in what is no request', () => {
  expect(organizationsOf('')).toEqual([])
  expect(commonNameOf('')).toBeUndefined()
  expect(organizationsOf('-----BEGIN CERTIFICATE REQUEST-----\nMIIB//8=\n-----END CERTIFICATE REQUEST-----')).toEqual(
    [],
  )
})
