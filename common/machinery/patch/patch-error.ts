// What the API server answers to a well-formed patch that cannot be applied: 422 with upstream's generic message; the reason is
// kept as cause for the log.
import { StatusError } from '../status.ts'

export const patchDoesNotApply = (why: string): StatusError =>
  new StatusError(
    {
      code: 422,
      reason: 'Invalid',
      message: 'the server rejected our request due to an error in our request',
      details: {},
    },
    { cause: new Error(why) },
  )
