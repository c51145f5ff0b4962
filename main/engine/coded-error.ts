// Errors that a person reads: what happened, and what to do about it. Everything outside the Kubernetes API fails with these.

export type ErrorCode =
  | 'AddressInUse'
  | 'BadArgument'
  | 'BadFile'
  | 'DiskFull'
  | 'EngineStartFailed'
  | 'HomeLocked'
  | 'MissingProgram'
  | 'NotBuilt'
  | 'NotRunning'
  | 'StoreUnusable'
  | 'Timeout'

export class CodedError extends Error {
  readonly code: ErrorCode
  /** What the user can do. */
  readonly hint: string

  constructor(code: ErrorCode, message: string, hint: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CodedError'
    this.code = code
    this.hint = hint
  }
}
