// Failures that upstream tells in plain words rather than as a Status: those met before or beside the handling of objects.
import { StatusError } from '../../../common/machinery/status.ts'

export class PlainError extends StatusError {
  readonly text: string
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: ConstructorParameters<typeof StatusError>[0],
    text: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(status)
    this.text = `${text}\n`
    this.headers = headers
  }
}

/** A path under which nothing is served at all; a Status is for paths below a group that is known. */
export class NoSuchPath extends PlainError {
  constructor() {
    const message = 'the server could not find the requested resource'
    super({ code: 404, reason: 'NotFound', message, details: {} }, '404 page not found')
  }
}

/** It could not be found out who asks, or whether they may. */
export class CannotTell extends PlainError {
  constructor(uri: string, why: string) {
    const message = `Internal Server Error: ${JSON.stringify(uri)}: ${why}`
    super({ code: 500, reason: 'InternalError', message, details: {} }, message)
  }
}
