// Failures that are as good as success: who deletes does not mind that something is gone.
import { isReason } from '../../../common/machinery/status.ts'

/** For `catch`: takes errors of these reasons as done, throws all others again. */
export const tolerate =
  (...reasons: readonly ('NotFound' | 'Conflict' | 'AlreadyExists')[]) =>
  (error: unknown): undefined => {
    if (!reasons.some((reason) => isReason(error, reason))) throw error
  }
