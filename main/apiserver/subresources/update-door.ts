// Doors through which a part of the stored object is read and written: status, finalize, ephemeralcontainers, resize, approval …
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { methodNotAllowed, notFound } from '../../../common/machinery/status.ts'
import type { UpdateStrategy } from '../../kinds/kind.ts'
import { readStored } from '../registry/context.ts'
import { decodeObject } from '../registry/decode.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import { updateObject } from '../registry/update.ts'
import { type ApiCall, type CallResult, fieldValidationOf, requireBody, writeRequestOf } from '../routes/api-call.ts'
import { requireSameIdentity } from '../routes/identity.ts'
import { patchObject } from '../routes/patch-verb.ts'
import type { Subresource } from './subresource.ts'

export function updateDoor(
  resource: ServedResource,
  name: string,
  strategy: UpdateStrategy<KubeObject>,
  verbs: readonly string[] = ['get', 'patch', 'update'],
): Subresource {
  const { group, version, kind } = resource.kind
  return {
    info: { name, group, version, kind, verbs },
    async perform(call) {
      switch (call.info.verb) {
        case 'get': {
          const object = readStored(call.registry, call.resource, call.info.namespace, call.info.name)
          if (object === undefined) throw notFound(call.resource.name, call.info.name)
          return { type: 'stored', code: 200, object }
        }
        case 'patch':
          return patchObject(call, strategy)
        case 'update':
          return putThrough(call, strategy)
        default:
          throw methodNotAllowed(call.resource.name, call.info.verb)
      }
    },
  }
}

async function putThrough(call: ApiCall, strategy: UpdateStrategy<KubeObject>): Promise<CallResult> {
  const { registry, resource, info } = call
  const request = writeRequestOf(call)
  const { value, duplicates } = await requireBody(call)
  let decode = { fieldValidation: fieldValidationOf(call), warn: call.warn, duplicates }
  const { object } = await updateObject(registry, resource, {
    namespace: info.namespace,
    name: info.name,
    subresource: info.subresource,
    strategy,
    change: () => {
      const decoded = decodeObject(resource, value, decode)
      decode = { ...decode, fieldValidation: 'Ignore' }
      requireSameIdentity(decoded.metadata, resource.namespaced ? info : { namespace: '', name: info.name })
      return decoded
    },
    request,
  })
  return { type: 'stored', code: 200, object }
}
