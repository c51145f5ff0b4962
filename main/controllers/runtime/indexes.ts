// Informer indexes that several controllers share; same name, same function.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { Pod } from '../../../common/api/generated/types.ts'
import type { Indexes } from '../../../common/client/object-cache.ts'
import { controllerOf } from '../ownership/controller-of.ts'

/** Dependents by the UID of the owner whose ownerReference has controller: true. */
export const byController = 'controllerUid'
/** Objects without a controller, by namespace: candidates for adoption. */
export const orphans = 'orphans'
export const byNamespace = 'namespace'
/** Pods by spec.nodeName; unassigned pods under "". */
export const byNode = 'node'

export const ownershipIndexes: Indexes<KubeObject> = {
  [byController]: (object) => {
    const owner = controllerOf(object)
    return owner === undefined ? [] : [owner.uid]
  },
  [orphans]: (object) => (controllerOf(object) === undefined ? [object.metadata.namespace ?? ''] : []),
}
export const namespaceIndex: Indexes<KubeObject> = { [byNamespace]: (object) => [object.metadata.namespace ?? ''] }
export const nodeIndex: Indexes<Pod> = { [byNode]: (pod) => [pod.spec?.nodeName ?? ''] }
