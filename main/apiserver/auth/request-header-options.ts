// Which proxies are believed, and in which headers they name the user.
export interface RequestHeaderOptions {
  /** PEM of the authorities of proxies. */
  readonly clientCa: string
  /** Common names they may have; empty: any. */
  readonly allowedNames: readonly string[]
  readonly usernameHeaders: readonly string[]
  /** Absent: nobody says a UID. */
  readonly uidHeaders?: readonly string[]
  readonly groupHeaders: readonly string[]
  readonly extraHeaderPrefixes: readonly string[]
}
