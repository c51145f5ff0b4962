// NamespaceAutoProvision: a namespace that is written to and does not exist is made.
import { isReason } from '../../../common/machinery/status.ts'
import { lookup } from '../registry/context.ts'
import { createObject } from '../registry/create.ts'
import type { AdmissionPlugin } from './admission.ts'

export const namespaceAutoProvision: AdmissionPlugin = {
  name: 'NamespaceAutoProvision',
  mutate({ operation, resource, namespace, registry, request }) {
    if (operation !== 'CREATE' || !resource.namespaced || request.dryRun) return false
    const namespaces = registry.resources.find('', 'v1', 'namespaces')
    if (namespaces === undefined || lookup(registry, '', 'namespaces', undefined, namespace) !== undefined) return false
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }
    return createObject(registry, namespaces, { namespace: '', object, request }).then(
      () => false,
      (error: unknown) => {
        if (isReason(error, 'AlreadyExists')) return false
        throw error
      },
    )
  },
}
