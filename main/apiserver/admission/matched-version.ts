// The objects of a request as webhooks and policies want to see them: in the version of their resource that their rules name.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import type { AdmissionAttributes } from './admission.ts'

/** What a definition's own webhook made of an object, for each version it was asked for. */
const converted = new WeakMap<KubeObject, Map<ServedResource, KubeObject>>()

/**
 * Has the definition's webhook convert the request's objects, where there is one to ask: undefined where not. To be called before
 * asMatched, and again when the object has changed.
 */
export function convertToMatched(
  { object, old, objectType, resource }: AdmissionAttributes,
  matched: ServedResource,
): Promise<unknown> | undefined {
  const conversion = matched.custom?.conversion
  if (matched === resource || conversion === undefined || objectType !== undefined) return undefined
  const convert = async (one: KubeObject): Promise<void> => {
    const versions = converted.get(one) ?? new Map<ServedResource, KubeObject>()
    converted.set(one, versions.set(matched, await conversion.convert(one)))
  }
  return Promise.all([object, old].filter((one) => one !== undefined).map(convert))
}

/** An object of the request as what it matched; the request's own where that is the same. */
export function asMatched(attributes: AdmissionAttributes, matched: ServedResource, object: KubeObject): KubeObject {
  if (attributes.objectType !== undefined) return object
  return converted.get(object)?.get(matched) ?? inVersion(object, attributes.resource, matched)
}

/** The way back. */
export function asRequested(
  { objectType, resource }: AdmissionAttributes,
  matched: ServedResource,
  object: KubeObject,
): KubeObject {
  return objectType === undefined ? inVersion(object, matched, resource) : object
}

/** The way back of what convertToMatched made. */
export function convertToRequested(
  attributes: AdmissionAttributes,
  matched: ServedResource,
  object: KubeObject,
): KubeObject | Promise<KubeObject> {
  const { resource, objectType } = attributes
  const conversion = resource.custom?.conversion
  return matched === resource || conversion === undefined || objectType !== undefined
    ? asRequested(attributes, matched, object)
    : conversion.convert(object)
}

/** A copy unless the version is the same. */
function inVersion(object: KubeObject, from: ServedResource, to: ServedResource): KubeObject {
  if (from === to) return object
  const copy = structuredClone(object)
  const stored = from.kind.storedAs?.toStored(copy) ?? copy
  const result = to.kind.storedAs?.fromStored(stored) ?? stored
  return { ...result, apiVersion: to.apiVersion, kind: to.kind.kind }
}
