// The door that requests pass between authorization and their work: how many are at work at a time, and who is next.
import type { HttpResponse } from '../apiserver.ts'
import type { UserInfo } from '../auth/user-info.ts'
import { PlainError } from '../chain/plain-error.ts'
import type { RequestInfo } from '../chain/request-info.ts'
import type { Gauge } from '../metrics.ts'

export interface GateRequest {
  readonly user: UserInfo
  readonly info: RequestInfo
  readonly query: URLSearchParams
  readonly res: HttpResponse
  /** Headers of the answer, whatever it will be. */
  readonly headers: Record<string, string>
}

/** A place among those at work. */
export interface Place {
  /** Exactly once. */
  leave(): void
}

export interface Gate {
  /** Undefined for one that does not count. Rejects with TooManyRequests. */
  enter(request: GateRequest): Place | undefined | Promise<Place>
  readonly gauges: readonly Gauge[]
  close(): void
}

const streams = new Set(['attach', 'exec', 'log', 'portforward', 'proxy'])

/** Lasts as long as its client wants; watches are looked at apart. */
export const isStream = (info: RequestInfo): boolean => info.isResource && streams.has(info.subresource)

export const isWrite = ({ verb }: RequestInfo): boolean =>
  verb !== 'get' && verb !== 'list' && verb !== 'watch' && verb !== 'head' && verb !== 'options'

export class TooManyRequests extends PlainError {
  constructor() {
    const message = 'Too many requests, please try again later.'
    super({ code: 429, reason: 'TooManyRequests', message, details: { retryAfterSeconds: 1 } }, message, {
      'retry-after': '1',
    })
  }
}
