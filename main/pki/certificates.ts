// The lab's own certificate authority and the certificates it issues. ECDSA P-256 throughout; keys never leave the home folder
// except each machine's own, which travels on that machine's config disk.
import 'reflect-metadata'
import { randomBytes, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(webcrypto)

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const yearMs = 365 * 24 * 3600 * 1000

/** PEM texts. */
export interface KeyPair {
  cert: string
  key: string
}

export interface CertificateRequest {
  commonName: string
  organizations?: readonly string[]
  dnsNames?: readonly string[]
  addresses?: readonly string[]
  usages: readonly ('server' | 'client')[]
  validYears?: number
}

async function pemKey(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
}

const serial = (): string => `00${randomBytes(15).toString('hex')}`
/** An hour in the past: a guest's clock may lag behind the host's by a little. */
const notBefore = (): Date => new Date(Date.now() - 3600 * 1000)

export async function createAuthority(commonName: string): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: [{ CN: [commonName] }],
    notBefore: notBefore(),
    notAfter: new Date(Date.now() + 10 * yearMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { cert: cert.toString('pem'), key: await pemKey(keys.privateKey) }
}

export async function issueCertificate(authority: KeyPair, request: CertificateRequest): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const issuer = new x509.X509Certificate(authority.cert)
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    x509.PemConverter.decodeFirst(authority.key),
    algorithm,
    false,
    ['sign'],
  )
  const name: x509.JsonName = []
  for (const organization of request.organizations ?? []) name.push({ O: [organization] })
  name.push({ CN: [request.commonName] })
  const extendedUsages = request.usages.map(
    (usage) => x509.ExtendedKeyUsage[usage === 'server' ? 'serverAuth' : 'clientAuth'],
  )
  const alternatives: x509.JsonGeneralNames = [
    ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.addresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ]
  const cert = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: name,
    issuer: issuer.subjectName,
    notBefore: notBefore(),
    notAfter: new Date(Date.now() + (request.validYears ?? 5) * yearMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension(extendedUsages),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...(alternatives.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternatives)] : []),
    ],
  })
  return { cert: cert.toString('pem'), key: await pemKey(keys.privateKey) }
}

/** PEM pair for signing service account tokens (ES256). */
export async function createSigningKey(): Promise<{ privatePem: string; publicPem: string }> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const spki = await webcrypto.subtle.exportKey('spki', keys.publicKey)
  return { privatePem: await pemKey(keys.privateKey), publicPem: x509.PemConverter.encode(spki, 'PUBLIC KEY') }
}

/** True when the certificate ends within `days` or no longer verifies under this authority. */
export async function needsRenewal(cert: string, authority: KeyPair, days: number): Promise<boolean> {
  const parsed = new x509.X509Certificate(cert)
  if (parsed.notAfter.getTime() - Date.now() < days * 24 * 3600 * 1000) return true
  return !(await parsed.verify({ publicKey: new x509.X509Certificate(authority.cert).publicKey, signatureOnly: true }))
}

/** Base64 SHA-256 of the certificate's public key, as Chromium's --ignore-certificate-errors-spki-list takes it. */
export async function publicKeyHash(cert: string): Promise<string> {
  const digest = await webcrypto.subtle.digest('SHA-256', new x509.X509Certificate(cert).publicKey.rawData)
  return Buffer.from(digest).toString('base64')
}
