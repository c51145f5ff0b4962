// Pure: where a request stands, and when it has served its time.
import { X509Certificate } from 'node:crypto'
import type { CertificateSigningRequest } from '../../../common/api/generated/types.ts'

const hourMs = 3_600_000
/** How long requests are kept: unanswered ones a day, all others an hour after the answer. */
const pendingMs = 24 * hourMs
const answeredMs = hourMs
/** Certificates live a year unless less is asked for, and never less than ten minutes. */
const maxLifeMs = 365 * 24 * hourMs
const minLifeMs = 600_000

const condition = ({ status }: CertificateSigningRequest, type: string) =>
  status?.conditions?.find((candidate) => candidate.type === type && candidate.status !== 'False')

const hasCertificate = ({ status }: CertificateSigningRequest): boolean => (status?.certificate ?? '') !== ''

export const isUndecided = (csr: CertificateSigningRequest): boolean =>
  !hasCertificate(csr) && condition(csr, 'Approved') === undefined && condition(csr, 'Denied') === undefined

export const isToBeSigned = (csr: CertificateSigningRequest): boolean =>
  !hasCertificate(csr) &&
  condition(csr, 'Approved') !== undefined &&
  condition(csr, 'Denied') === undefined &&
  condition(csr, 'Failed') === undefined

export function lifeMs({ spec }: CertificateSigningRequest): number {
  const asked = spec.expirationSeconds
  return asked === undefined ? maxLifeMs : Math.min(maxLifeMs, Math.max(minLifeMs, asked * 1000))
}

/** The PEM text of the request. */
export const requestPem = ({ spec }: CertificateSigningRequest): string =>
  Buffer.from(spec.request ?? '', 'base64').toString('utf8')

/** Milliseconds until the request is of no use to anybody; 0: now; undefined: cannot be told. */
export function leftMs(csr: CertificateSigningRequest, nowMs: number): number | undefined {
  const since = (text: string | undefined, keepMs: number): number | undefined =>
    text === undefined ? undefined : Math.max(0, Date.parse(text) + keepMs - nowMs)
  const ends = [
    ...['Approved', 'Denied', 'Failed'].map((type) => {
      const found = condition(csr, type)
      // An approved request waits for its certificate as long as that takes.
      if (found === undefined || (type === 'Approved' && !hasCertificate(csr))) return undefined
      return since(found.lastUpdateTime, answeredMs)
    }),
    hasCertificate(csr) ? expiryMs(csr, nowMs) : undefined,
    isUndecided(csr) ? since(csr.metadata.creationTimestamp, pendingMs) : undefined,
  ].filter((end) => end !== undefined)
  return ends.length === 0 ? undefined : Math.min(...ends)
}

function expiryMs({ status }: CertificateSigningRequest, nowMs: number): number | undefined {
  try {
    const pem = Buffer.from(status?.certificate ?? '', 'base64').toString('utf8')
    return Math.max(0, Date.parse(new X509Certificate(pem).validTo) - nowMs)
  } catch {
    // Not readable: some other signer's business.
    return undefined
  }
}
