import { generateKeyPairSync } from 'node:crypto'
import { expect, it } from 'vitest'
import { createAuthority } from '../../../pki/certificates.ts'
import { createObject } from '../../testing/lifecycle.ts'
import { secret } from './index.ts'

const warningsOf = (certificate: string, key: string): string[] => {
  const data = { 'tls.crt': btoa(certificate), 'tls.key': btoa(key) }
  const { object } = createObject(secret, { type: 'kubernetes.io/tls', data })
  return secret.warnings?.(object, undefined) ?? []
}

it('warns of TLS Secrets that no program could load', async () => {
  const pair = await createAuthority('a')
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' })
  expect(warningsOf(pair.cert, pair.key)).toEqual([])
  expect(warningsOf('x', 'y')).toEqual(['tls: failed to find any PEM data in certificate input'])
  expect(warningsOf(pair.cert, 'y')).toEqual(['tls: failed to find any PEM data in key input'])
  expect(warningsOf(pair.cert, other.toString())).toEqual(['tls: private key does not match public key'])
})
