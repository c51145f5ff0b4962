// Puts a changed object in the place of the one being written: read again by the resource's schema, as a client's own would be.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { decodeObject } from '../registry/decode.ts'
import { sameJson } from '../registry/same-json.ts'
import type { AdmissionAttributes } from './admission.ts'

/** True when anything is different. */
export function replaceObject({ resource }: AdmissionAttributes, object: KubeObject, next: unknown): boolean {
  const decoded = decodeObject(resource, next, { fieldValidation: 'Ignore', warn: () => undefined })
  if (sameJson(decoded, object)) return false
  const target = object as unknown as Record<string, unknown>
  for (const key of Object.keys(target)) if (!Object.hasOwn(decoded, key)) Reflect.deleteProperty(target, key)
  Object.assign(target, decoded)
  return true
}
