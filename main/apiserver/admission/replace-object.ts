// Puts a changed object in the place of the one being written: read again by the resource's schema, as a client's own would be.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { newWriteContext } from '../registry/context.ts'
import { decodeObject, decodeType } from '../registry/decode.ts'
import { sameJson } from '../registry/same-json.ts'
import type { AdmissionAttributes } from './admission.ts'

/** True when anything is different. */
export function replaceObject(attributes: AdmissionAttributes, object: KubeObject, next: KubeObject): boolean {
  const decoded = decode(attributes, next)
  if (sameJson(decoded, object)) return false
  const target = object as unknown as Record<string, unknown>
  for (const key of Object.keys(target)) if (!Object.hasOwn(decoded, key)) Reflect.deleteProperty(target, key)
  Object.assign(target, decoded)
  return true
}

function decode(attributes: AdmissionAttributes, next: KubeObject): KubeObject {
  const { resource, objectType, registry, request, subresource } = attributes
  if (objectType === undefined) {
    const decoded = decodeObject(resource, next, { fieldValidation: 'Ignore', warn: () => undefined })
    // Whoever looks next sees the defaults of what was added.
    resource.custom?.setDefaults(decoded)
    resource.kind.setDefaults?.(decoded, newWriteContext(registry, request, subresource))
    return decoded
  }
  const { definition, ...type } = objectType
  return definition === undefined ? next : decodeType<KubeObject>({ definition, ...type }, next)
}
