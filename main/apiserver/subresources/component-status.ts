// componentstatuses: how the store is, asked when somebody looks. Controllers and scheduler are clients of the API and report there.
import type { ComponentStatus } from '../../../common/api/generated/types.ts'
import { notFound } from '../../../common/machinery/status.ts'
import { unsaved } from '../registry/create.ts'
import { keyOf } from '../registry/served-resource.ts'
import type { StoredObject } from '../registry/stored-object.ts'
import type { ApiCall } from '../routes/api-call.ts'
import type { VirtualKind } from './subresource.ts'

export const componentStatuses: VirtualKind = {
  perform(call) {
    const components = [storeStatus(call)].map((status) => asObject(call, status))
    if (call.info.verb === 'list') {
      const list = {
        items: components,
        revision: call.registry.store.revision,
        continueToken: '',
        remaining: undefined,
      }
      return Promise.resolve({ type: 'list', list })
    }
    const found = components.find(({ object }) => object.metadata.name === call.info.name)
    if (found === undefined) return Promise.reject(notFound(call.resource.name, call.info.name))
    return Promise.resolve({ type: 'stored', code: 200, object: found })
  },
}

function storeStatus({ registry }: ApiCall): ComponentStatus {
  const status = { apiVersion: 'v1', kind: 'ComponentStatus', metadata: { name: 'etcd-0' } } as const
  try {
    registry.store.get('')
    return { ...status, conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }] }
  } catch (error) {
    return { ...status, conditions: [{ type: 'Healthy', status: 'False', error: String(error) }] }
  }
}

const asObject = ({ resource }: ApiCall, status: ComponentStatus): StoredObject =>
  unsaved(resource, keyOf(resource, undefined, status.metadata.name ?? ''), JSON.stringify(status), 0)
