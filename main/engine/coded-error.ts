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

/** How the engine's process ends when it could not start or met a bug (numbers as in sysexits.h). */
export const engineExitCodes = { failed: 1, bug: 70, diskFull: 74, homeLocked: 75 } as const

export const isDiskFull = (error: unknown): boolean =>
  ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException | undefined)?.code ?? '')

export const diskFullError = (place: string, cause?: unknown): CodedError =>
  new CodedError('DiskFull', `No room on the disk that holds ${place}.`, 'Free some space, then start again; nothing is lost.', { cause }) // prettier-ignore

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
