// A path under which nothing is served at all. Upstream answers with plain words there, and with a Status only below a group it knows.
import { StatusError } from '../../../common/machinery/status.ts'

export class NoSuchPath extends StatusError {
  constructor() {
    super({
      code: 404,
      reason: 'NotFound',
      message: 'the server could not find the requested resource',
      details: {},
    })
  }
}
