// A way to tell who a bearer token belongs to.
import type { UserInfo } from '../user-info.ts'

export interface TokenUser {
  readonly user: UserInfo
  /** Those of the audiences asked for that the token is good for; undefined: it names none. */
  readonly audiences?: readonly string[]
}

export interface TokenAuthenticator {
  /**
   * Undefined: not a token of this kind. Rejects with an Error that says why one of this kind is not good; users are told nothing
   * but that they are not authorized.
   */
  authenticate(token: string, audiences: readonly string[]): Promise<TokenUser | undefined>
  close?(): void
}
