// Certificate requests (PKCS #10): what they ask for, and certificates that answer them. The request's key and names are kept, all else
// is the authority's to say.
import 'reflect-metadata'
import { randomBytes, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import type { KeyPair } from './certificates.ts'

x509.cryptoProvider.set(webcrypto)

const signatureAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
/** Clocks of those who check may lag a little. */
const backdateMs = 300_000

export interface CertificateIdentity {
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly emailAddresses: readonly string[]
  readonly uris: readonly string[]
}

/** Throws an Error for a person when it cannot be read or is not signed with its own key. */
export async function readCertificateRequest(pem: string): Promise<CertificateIdentity> {
  const request = await parse(pem)
  const names = alternativeNames(request)
  const of = (type: string): string[] => names.filter((name) => name.type === type).map(({ value }) => value)
  return {
    commonName: request.subjectName.getField('CN')[0] ?? '',
    organizations: request.subjectName.getField('O'),
    dnsNames: of('dns'),
    ipAddresses: of('ip'),
    emailAddresses: of('email'),
    uris: of('url'),
  }
}

export interface SignOptions {
  pem: string
  /** As the Kubernetes API names them: "digital signature", "client auth", … */
  usages: readonly string[]
  notAfterMs: number
}

/** PEM of the certificate; it never outlives the authority. */
export async function signCertificateRequest(authority: KeyPair, options: SignOptions): Promise<string> {
  const request = await parse(options.pem)
  const issuer = new x509.X509Certificate(authority.cert)
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    x509.PemConverter.decodeFirst(authority.key),
    signatureAlgorithm,
    false,
    ['sign'],
  )
  const names = alternativeNames(request)
  const keyUsage = options.usages.reduce((flags, usage) => flags | (keyUsages[usage] ?? 0), 0)
  const extended = options.usages.flatMap((usage) => extendedUsages[usage] ?? [])
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: `00${randomBytes(15).toString('hex')}`,
    subject: request.subjectName,
    issuer: issuer.subjectName,
    notBefore: new Date(Date.now() - backdateMs),
    notAfter: new Date(Math.min(options.notAfterMs, issuer.notAfter.getTime())),
    signingAlgorithm: signatureAlgorithm,
    publicKey: request.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      ...(keyUsage === 0 ? [] : [new x509.KeyUsagesExtension(keyUsage, true)]),
      ...(extended.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(extended)]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
    ],
  })
  return `${certificate.toString('pem')}\n`
}

async function parse(pem: string): Promise<x509.Pkcs10CertificateRequest> {
  if (!/-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----/.test(pem))
    throw new Error('PEM block type must be CERTIFICATE REQUEST')
  let request: x509.Pkcs10CertificateRequest
  try {
    request = new x509.Pkcs10CertificateRequest(x509.PemConverter.decodeFirst(pem))
  } catch (error) {
    throw new Error('the request is not a PKCS #10 structure', { cause: error })
  }
  if (!(await request.verify())) throw new Error('the request is not signed with its own key')
  return request
}

function alternativeNames(request: x509.Pkcs10CertificateRequest): { type: x509.GeneralNameType; value: string }[] {
  const extension = request.extensions.find((candidate) => candidate instanceof x509.SubjectAlternativeNameExtension)
  return (extension?.names.items ?? []).map(({ type, value }) => ({ type, value }))
}

const keyUsages: Readonly<Record<string, number>> = {
  signing: x509.KeyUsageFlags.digitalSignature,
  'digital signature': x509.KeyUsageFlags.digitalSignature,
  'content commitment': x509.KeyUsageFlags.nonRepudiation,
  'key encipherment': x509.KeyUsageFlags.keyEncipherment,
  'data encipherment': x509.KeyUsageFlags.dataEncipherment,
  'key agreement': x509.KeyUsageFlags.keyAgreement,
  'encipher only': x509.KeyUsageFlags.encipherOnly,
  'decipher only': x509.KeyUsageFlags.decipherOnly,
}
const extendedUsages: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': x509.ExtendedKeyUsage.serverAuth,
  'client auth': x509.ExtendedKeyUsage.clientAuth,
  'code signing': x509.ExtendedKeyUsage.codeSigning,
  'email protection': x509.ExtendedKeyUsage.emailProtection,
  's/mime': x509.ExtendedKeyUsage.emailProtection,
  timestamping: x509.ExtendedKeyUsage.timeStamping,
  'ocsp signing': x509.ExtendedKeyUsage.ocspSigning,
}
