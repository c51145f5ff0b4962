// Whether the two halves of a TLS Secret are a certificate and its key.
import { createPrivateKey, X509Certificate } from 'node:crypto'

const decode = (data: string | undefined): string => Buffer.from(data ?? '', 'base64').toString('latin1')

/** What a TLS library would say when it loaded them; undefined when they fit. */
export function problemOfPair(data: Readonly<Record<string, string>> = {}): string | undefined {
  const certificate = decode(data['tls.crt'])
  const key = decode(data['tls.key'])
  if (!certificate.includes('-----BEGIN CERTIFICATE-----'))
    return certificate.includes('-----BEGIN ')
      ? 'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched'
      : 'tls: failed to find any PEM data in certificate input'
  if (!key.includes('PRIVATE KEY-----'))
    return key.includes('-----BEGIN CERTIFICATE-----')
      ? 'tls: found a certificate rather than a key in the PEM for the private key'
      : 'tls: failed to find any PEM data in key input'
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
      ? undefined
      : 'tls: private key does not match public key'
  } catch {
    return 'tls: failed to parse private key'
  }
}
