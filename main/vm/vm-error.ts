// Coded errors of the VM driver. `hint` says what a person can do about it; both texts end up in Machine.status.
export type VmErrorCode =
  | 'QemuMissing'
  | 'QemuFailed'
  | 'QemuTooOld'
  | 'DiskFull'
  | 'DiskBroken'
  | 'PortInUse'
  | 'ImageMissing'
  | 'MemoryTooSmall'
  | 'BootFailed'

export class VmError extends Error {
  override readonly name = 'VmError'
  readonly code: VmErrorCode
  readonly hint: string
  /** False when trying again cannot help before a person did something. */
  readonly retryable: boolean

  constructor(code: VmErrorCode, message: string, options: ErrorOptions & { hint: string; retryable?: boolean }) {
    super(message, options)
    this.code = code
    this.hint = options.hint
    this.retryable = options.retryable ?? true
  }
}

/** ENOSPC and EDQUOT from Node, or QEMU's wording of them. */
export function isDiskFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  if (code === 'ENOSPC' || code === 'EDQUOT') return true
  return error instanceof Error && /no space left on device|disk quota exceeded/i.test(error.message)
}
