// Kubernetes Status errors: the only errors that cross the API. Codes, reasons and message forms are those kubectl prints.
import type { Status as ApiStatus, StatusCause, StatusDetails } from '../api/generated/types.ts'
import type { FieldError } from './field-error.ts'

export type Status = ApiStatus

export class StatusError extends Error {
  readonly status: Status & { code: number }

  constructor(
    status: Omit<Status, 'apiVersion' | 'kind' | 'metadata' | 'status'> & { code: number },
    options?: ErrorOptions,
  ) {
    super(status.message, options)
    this.name = 'StatusError'
    const { message, reason, details, code, ...rest } = status
    // In the order in which upstream writes them.
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      ...rest,
      ...(message === undefined ? {} : { message }),
      ...(reason === undefined ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    }
  }

  get code(): number {
    return this.status.code
  }

  get reason(): string {
    return this.status.reason ?? ''
  }
}

/** True for a StatusError with this reason ("NotFound", "Conflict", "AlreadyExists", …). */
export function isReason(error: unknown, reason: string): error is StatusError {
  return error instanceof StatusError && error.reason === reason
}

export interface ResourceName {
  group: string
  /** Plural resource name ("pods"), as messages print it. */
  resource: string
}

const qualified = ({ group, resource }: ResourceName): string => (group === '' ? resource : `${resource}.${group}`)
const detailsOf = (
  { group, resource }: ResourceName,
  name?: string,
  extra?: Partial<StatusDetails>,
): StatusDetails => ({
  ...(name === undefined || name === '' ? {} : { name }),
  ...(group === '' ? {} : { group }),
  kind: resource,
  ...extra,
})

export const notFound = (resource: ResourceName, name: string): StatusError =>
  new StatusError({
    code: 404,
    reason: 'NotFound',
    message: `${qualified(resource)} "${name}" not found`,
    details: detailsOf(resource, name),
  })

export const alreadyExists = (resource: ResourceName, name: string): StatusError =>
  new StatusError({
    code: 409,
    reason: 'AlreadyExists',
    message: `${qualified(resource)} "${name}" already exists`,
    details: detailsOf(resource, name),
  })

export const conflict = (resource: ResourceName, name: string, why: string): StatusError =>
  new StatusError({
    code: 409,
    reason: 'Conflict',
    message: `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`,
    details: detailsOf(resource, name),
  })

export const optimisticConflict = (resource: ResourceName, name: string): StatusError =>
  conflict(
    resource,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  )

export const badRequest = (message: string): StatusError =>
  new StatusError({ code: 400, reason: 'BadRequest', message })

export const unauthorized = (message = 'Unauthorized'): StatusError =>
  new StatusError({ code: 401, reason: 'Unauthorized', message })

export const forbidden = (resource: ResourceName, name: string, why: string): StatusError =>
  new StatusError({
    code: 403,
    reason: 'Forbidden',
    message:
      name === ''
        ? `${qualified(resource)} is forbidden: ${why}`
        : `${qualified(resource)} "${name}" is forbidden: ${why}`,
    details: detailsOf(resource, name),
  })

export const methodNotAllowed = (
  resource: ResourceName,
  verb: string,
  why = `${verb} is not supported on resources of kind "${qualified(resource)}"`,
): StatusError =>
  new StatusError({
    code: 405,
    reason: 'MethodNotAllowed',
    message: why,
    details: detailsOf(resource),
  })

export const gone = (message: string): StatusError => new StatusError({ code: 410, reason: 'Expired', message })

export const unsupportedMediaType = (message: string): StatusError =>
  new StatusError({ code: 415, reason: 'UnsupportedMediaType', message })

export const notAcceptable = (message: string): StatusError =>
  new StatusError({ code: 406, reason: 'NotAcceptable', message })

export const requestTooLarge = (message: string): StatusError =>
  new StatusError({ code: 413, reason: 'RequestEntityTooLarge', message })

export const internalError = (message: string, options?: ErrorOptions): StatusError =>
  new StatusError(
    {
      code: 500,
      reason: 'InternalError',
      message: `Internal error occurred: ${message}`,
      details: { causes: [{ message }] },
    },
    options,
  )

export const serviceUnavailable = (message: string): StatusError =>
  new StatusError({ code: 503, reason: 'ServiceUnavailable', message })

export const timeoutError = (message: string): StatusError => new StatusError({ code: 504, reason: 'Timeout', message })

/** 422 with every field error: "Deployment.apps "x" is invalid: [spec.a: Required value, spec.b: Invalid value: …]". */
export function invalid(
  kind: { group: string; kind: string },
  name: string,
  errors: readonly FieldError[],
): StatusError {
  const qualifiedKind = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`
  const messages = errors.map((error) => error.toString())
  const body = messages.length === 1 ? messages[0] : `[${messages.join(', ')}]`
  const causes: StatusCause[] = errors.map((error) => ({
    reason: error.reason,
    message: error.body(),
    field: error.field,
  }))
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: `${qualifiedKind} "${name}" is invalid: ${body ?? ''}`,
    details: {
      ...(name === '' ? {} : { name }),
      ...(kind.group === '' ? {} : { group: kind.group }),
      ...(kind.kind === '' ? {} : { kind: kind.kind }),
      causes,
    },
  })
}
