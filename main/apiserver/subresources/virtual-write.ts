// Creates whose object is not stored but acted on (Binding, Eviction, TokenRequest, reviews): they pass admission as it is.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { AdmissionAttributes, ObjectType } from '../admission/admission.ts'
import type { WriteRequest } from '../registry/context.ts'
import type { ApiCall } from '../routes/api-call.ts'

export interface VirtualWrite {
  /** Throws what a plugin refuses with. */
  mutate(): Promise<void>
  validate(): Promise<void>
}

/** `type`: undefined when the object is of the resource's own kind. */
export function virtualWrite(
  { registry, resource, info }: ApiCall,
  object: KubeObject,
  request: WriteRequest,
  type?: ObjectType,
): VirtualWrite {
  // Clients leave out what the path says already.
  const given: Partial<KubeObject> = object
  given.metadata ??= {}
  const attributes: AdmissionAttributes = {
    operation: 'CREATE',
    resource,
    resourceName: resource.name,
    subresource: info.subresource,
    namespace: info.namespace,
    name: info.name === '' ? (object.metadata.name ?? '') : info.name,
    object,
    old: undefined,
    ...(type === undefined ? {} : { objectType: type }),
    request,
    registry,
  }
  return {
    mutate: async () => {
      await registry.admission.mutate(attributes)
    },
    validate: async () => {
      await registry.admission.validate(attributes)
    },
  }
}
