// The one place where storage errors become Status errors.
import { gone, internalError, serviceUnavailable, StatusError, timeoutError } from '../../../common/machinery/status.ts'
import { ClosedError, CompactedError, DiskFullError, FutureRevisionError } from '../../store/store.ts'

export async function translateStoreErrors<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw statusOfStoreError(error)
  }
}

/** A Status error for what the store threw; other errors are returned unchanged. */
export function statusOfStoreError(error: unknown): unknown {
  if (error instanceof CompactedError) return gone('The resourceVersion for the provided list is too old.')
  if (error instanceof FutureRevisionError) return tooLargeResourceVersion(error)
  if (error instanceof DiskFullError) {
    return new StatusError(
      {
        code: 507,
        reason: 'InternalError',
        message: 'Internal error occurred: the disk of the control plane is full; free some space and try again',
      },
      { cause: error },
    )
  }
  if (error instanceof ClosedError) return serviceUnavailable(error.message)
  return error
}

function tooLargeResourceVersion({ requestedRevision, currentRevision }: FutureRevisionError): StatusError {
  const error = timeoutError(
    `Timeout: Too large resource version: ${String(requestedRevision)}, current: ${String(currentRevision)}`,
  )
  error.status.details = {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  }
  return error
}

/** Anything thrown, as a Status error. */
export function toStatusError(error: unknown): StatusError {
  const translated = statusOfStoreError(error)
  if (translated instanceof StatusError) return translated
  return internalError(translated instanceof Error ? translated.message : String(translated), { cause: translated })
}
