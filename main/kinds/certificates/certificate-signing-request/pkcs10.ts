// Just enough DER to take a certification request (PKCS #10, RFC 2986) apart and to check that its maker holds the key.
import { createPublicKey, verify, type KeyObject } from 'node:crypto'

interface Element {
  readonly tag: number
  readonly content: Uint8Array
  /** Tag, length and content. */
  readonly whole: Uint8Array
}

const sequence = 0x30
const bitString = 0x03
const objectIdentifier = 0x06

class DerError extends Error {}

/** The elements that follow each other in `bytes`. */
function elementsOf(bytes: Uint8Array): Element[] {
  const elements: Element[] = []
  let at = 0
  while (at < bytes.length) {
    const start = at
    const tag = bytes[at] ?? 0
    let length = bytes[at + 1]
    at += 2
    if (length === undefined) throw new DerError('asn1: syntax error: truncated tag or length')
    if (length >= 0x80) {
      const count = length & 0x7f
      if (count === 0 || count > 4) throw new DerError('asn1: structure error: length too large')
      length = 0
      for (let index = 0; index < count; index += 1) length = length * 256 + (bytes[at + index] ?? 0)
      at += count
    }
    const end = at + length
    if (end > bytes.length) throw new DerError('asn1: syntax error: data truncated')
    elements.push({ tag, content: bytes.subarray(at, end), whole: bytes.subarray(start, end) })
    at = end
  }
  return elements
}

function expectElement(element: Element | undefined, tag: number): Element {
  if (element?.tag !== tag) throw new DerError("asn1: structure error: tags don't match")
  return element
}

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Object identifiers (in DER) of the signature algorithms that certificate requests use, and the hash of each. */
const hashes: Readonly<Record<string, string | null>> = {
  '2a864886f70d010105': 'sha1',
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a8648ce3d0401': 'sha1',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
  '2b6570': null,
}

const beginPem = '-----BEGIN CERTIFICATE REQUEST-----'

/** What is wrong with a PEM-encoded request, in words; undefined when its signature is good. */
export function problemOfRequest(pem: string): string | undefined {
  const block = /-----BEGIN CERTIFICATE REQUEST-----\s+([A-Za-z0-9+/=\s]*?)-----END CERTIFICATE REQUEST-----/.exec(pem)
  if (!pem.includes(beginPem) || block === null) return 'PEM block type must be CERTIFICATE REQUEST'
  try {
    return checkDer(Buffer.from((block[1] ?? '').replaceAll(/\s/g, ''), 'base64'))
  } catch (error) {
    if (error instanceof DerError) return error.message
    throw error
  }
}

function checkDer(der: Uint8Array): string | undefined {
  const [request, ...rest] = elementsOf(der)
  if (rest.length > 0) return 'asn1: syntax error: trailing data'
  const [info, algorithm, signature] = elementsOf(expectElement(request, sequence).content)
  const [, , subjectKey] = elementsOf(expectElement(info, sequence).content)
  const [identifier] = elementsOf(expectElement(algorithm, sequence).content)
  const hash = hashes[toHex(expectElement(identifier, objectIdentifier).content)]
  if (hash === undefined) return 'x509: cannot verify signature: algorithm unimplemented'
  const bits = expectElement(signature, bitString).content.subarray(1)
  const key = publicKeyOf(expectElement(subjectKey, sequence).whole)
  if (key === undefined) return 'x509: failed to parse public key'
  const signed = expectElement(info, sequence).whole
  return verify(hash, signed, key, bits) ? undefined : 'x509: signature is not valid'
}

function publicKeyOf(spki: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
}
