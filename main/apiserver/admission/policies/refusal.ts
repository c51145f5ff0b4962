// A policy's no.
import { forbidden, StatusError } from '../../../../common/machinery/status.ts'
import type { AdmissionAttributes } from '../admission.ts'

const codes: Readonly<Record<string, number>> = {
  Forbidden: 403,
  Invalid: 422,
  RequestEntityTooLarge: 413,
  Unauthorized: 401,
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export function refusal(
  { resourceName, name }: AdmissionAttributes,
  no: {
    readonly message: string
    /** As the person reads it; the message behind the resource's name when absent. */
    readonly shown?: string
    readonly reason?: string | undefined
    readonly cause?: unknown
  },
): StatusError {
  const { message, shown, reason = 'Invalid', cause } = no
  const { status } = forbidden(resourceName, name, message)
  return new StatusError(
    {
      ...status,
      ...(shown === undefined ? {} : { message: shown }),
      reason,
      code: codes[reason] ?? 422,
      details: { ...status.details, causes: [{ message }] },
    },
    { cause },
  )
}
