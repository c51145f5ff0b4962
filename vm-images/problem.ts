// Failures of image building as a person should read them: what was attempted, and what to do about it.

export type BuildProblemCode =
  | 'NoNetwork'
  | 'MissingTool'
  | 'BadSignature'
  | 'BadDigest'
  | 'MissingPackage'
  | 'ToolFailed'
  | 'DiskFull'
  | 'Aborted'
  | 'BadInput'

export class BuildProblem extends Error {
  readonly code: BuildProblemCode
  /** One sentence telling what the user can do. */
  readonly hint: string

  constructor(options: { code: BuildProblemCode; message: string; hint: string; cause?: unknown }) {
    super(options.message, { cause: options.cause })
    this.name = 'BuildProblem'
    this.code = options.code
    this.hint = options.hint
  }
}

/** Turns file system errors with a known remedy into a BuildProblem; everything else passes through. */
export function explain(error: unknown, attempted: string): unknown {
  if (error instanceof BuildProblem) return error
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOSPC')
    return new BuildProblem({
      code: 'DiskFull',
      message: `${attempted}: no space left on device`,
      hint: 'Free about 2 GiB, or point ORRERY_CACHE to a larger disk, and start again; finished downloads are kept.',
      cause: error,
    })
  return error
}
