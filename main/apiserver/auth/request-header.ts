// Front proxies: who comes with a certificate of the proxies' own authority may say in headers who the user is.
import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { HttpRequest, UserInfo } from '../apiserver.ts'
import type { RequestHeaderOptions } from './request-header-options.ts'

const splitCertificates = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []).map(
    (text) => new X509Certificate(text),
  )

export class RequestHeaderAuthenticator {
  readonly #options: RequestHeaderOptions
  readonly #authorities: readonly X509Certificate[]

  constructor(options: RequestHeaderOptions) {
    this.#options = options
    this.#authorities = splitCertificates(options.clientCa)
  }

  /** Whether the connection is a proxy's: such a certificate names no user by itself. */
  isProxy(socket: TLSSocket): boolean {
    if (typeof socket.getPeerX509Certificate !== 'function' || !socket.authorized) return false
    const certificate = socket.getPeerX509Certificate()
    if (certificate === undefined) return false
    return this.#authorities.some((ca) => certificate.checkIssued(ca) && certificate.verify(ca.publicKey))
  }

  /** Undefined when the proxy may not speak for users, or names none. */
  user(req: HttpRequest): UserInfo | undefined {
    const { allowedNames, usernameHeaders, uidHeaders = [], groupHeaders, extraHeaderPrefixes } = this.#options
    const { subject } = (req.socket as TLSSocket).getPeerCertificate() as { subject?: { CN?: string } }
    if (allowedNames.length > 0 && !allowedNames.includes(subject?.CN ?? '')) return undefined
    const name = usernameHeaders.flatMap((header) => headerValues(req, header)).find((value) => value !== '')
    if (name === undefined) return undefined
    const uid = uidHeaders.flatMap((header) => headerValues(req, header)).find((value) => value !== '')
    const groups = groupHeaders.flatMap((header) => headerValues(req, header))
    const extra: Record<string, string[]> = {}
    for (const header of Object.keys(req.headers)) {
      const prefix = extraHeaderPrefixes.find((candidate) => header.startsWith(candidate.toLowerCase()))
      if (prefix !== undefined) extra[extraKey(header.slice(prefix.length))] = headerValues(req, header)
    }
    return {
      name,
      groups,
      ...(uid === undefined ? {} : { uid }),
      ...(Object.keys(extra).length === 0 ? {} : { extra }),
    }
  }
}

/** Each value of a header that may come several times. Node joins HTTP/1.1's unknown headers with ", ". */
export function headerValues(req: HttpRequest, name: string): string[] {
  const wanted = name.toLowerCase()
  const values: string[] = []
  for (let index = 0; index + 1 < req.rawHeaders.length; index += 2)
    if (req.rawHeaders[index]?.toLowerCase() === wanted) values.push(req.rawHeaders[index + 1] ?? '')
  return values
}

/** Keys of extra travel percent-encoded: header names are ASCII without "/". */
export function extraKey(text: string): string {
  try {
    return decodeURIComponent(text).toLowerCase()
  } catch {
    return text.toLowerCase()
  }
}
