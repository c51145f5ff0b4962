// The body of an update must be about the object in the path.
import type { ObjectMeta } from '../../../common/machinery/meta.ts'
import { badRequest } from '../../../common/machinery/status.ts'

/** Fills in an absent name and namespace; throws BadRequest when they are another object's. */
export function requireSameIdentity(
  metadata: ObjectMeta,
  target: { readonly namespace: string; readonly name: string },
): void {
  if ((metadata.name ?? '') === '') metadata.name = target.name
  else if (metadata.name !== target.name) {
    throw badRequest(
      `the name of the object (${metadata.name ?? ''}) does not match the name on the URL (${target.name})`,
    )
  }
  if (target.namespace === '') return
  if ((metadata.namespace ?? '') === '') metadata.namespace = target.namespace
  else if (metadata.namespace !== target.namespace) {
    throw badRequest(
      `the namespace of the object (${metadata.namespace ?? ''}) does not match the namespace on the URL (${target.namespace})`,
    )
  }
}
