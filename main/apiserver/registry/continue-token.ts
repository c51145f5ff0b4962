// Continue tokens: the revision of the first page and the last key given, opaque to clients.
import { badRequest, type StatusError } from '../../../common/machinery/status.ts'

export interface ContinueToken {
  /** 0: go on with the newest state (an inconsistent continuation the client chose). */
  readonly revision: number
  readonly startAfter: string
}

export function encodeContinueToken({ revision, startAfter }: ContinueToken): string {
  return Buffer.from(
    JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision === 0 ? -1 : revision, start: startAfter }),
  ).toString('base64url')
}

export function decodeContinueToken(text: string): ContinueToken {
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    throw refused(': illegal base64 data')
  }
  if (typeof parsed !== 'object' || parsed === null) throw refused('')
  const { v, rv, start } = parsed as Record<string, unknown>
  if (v !== 'meta.k8s.io/v1') throw refused(': server does not recognize this encoded version')
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv < -1 || rv === 0)
    throw refused(': incorrect encoded start resourceVersion (version meta.k8s.io/v1)')
  if (typeof start !== 'string' || start === '') throw refused(': encoded start key empty (version meta.k8s.io/v1)')
  return { revision: Math.max(rv, 0), startAfter: start }
}

const refused = (why: string): StatusError => badRequest(`invalid continue token: continue key is not valid${why}`)
