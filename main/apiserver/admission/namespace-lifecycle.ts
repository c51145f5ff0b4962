// Nothing is created in a namespace that does not exist or is going away; the namespaces everything depends on cannot be deleted.
import { forbidden, notFound, type ResourceName, StatusError } from '../../../common/machinery/status.ts'
import { lookup } from '../registry/context.ts'
import type { AdmissionPlugin } from './admission.ts'

const immortal = new Set(['default', 'kube-system', 'kube-public'])

/** What may be done in a namespace can be asked of one that is not there. */
const isAccessReview = ({ group, resource }: ResourceName): boolean =>
  group === 'authorization.k8s.io' && resource === 'localsubjectaccessreviews'

export const namespaceLifecycle: AdmissionPlugin = {
  name: 'NamespaceLifecycle',
  mutate({ operation, resource, resourceName, namespace, name, registry }) {
    if (operation !== 'CREATE' || !resource.namespaced || isAccessReview(resourceName)) return false
    const found = lookup(registry, '', 'namespaces', undefined, namespace)
    if (found === undefined) throw notFound({ group: '', resource: 'namespaces' }, namespace)
    if (found.object.metadata.deletionTimestamp === undefined) return false
    const error = forbidden(
      resourceName,
      name,
      `unable to create new content in namespace ${namespace} because it is being terminated`,
    )
    throw new StatusError({
      ...error.status,
      code: 403,
      details: {
        ...error.status.details,
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: `namespace ${namespace} is being terminated`,
            field: 'metadata.namespace',
          },
        ],
      },
    })
  },
  validate({ operation, resourceName, name }) {
    if (
      operation === 'DELETE' &&
      resourceName.group === '' &&
      resourceName.resource === 'namespaces' &&
      immortal.has(name)
    ) {
      throw forbidden(resourceName, name, 'this namespace may not be deleted')
    }
  },
}
