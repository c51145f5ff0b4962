import type { Pod, PodTemplateSpec } from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { controllerReference } from '../ownership/controller-of.ts'

/** The pod that a controller creates from its template; the API server completes its name. */
export function podFromTemplate(template: PodTemplateSpec, owner: KubeObject): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {}
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: owner.metadata.namespace,
      generateName: generateNameOf(owner.metadata.name ?? ''),
      ...(labels === undefined ? {} : { labels: { ...labels } }),
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ...(finalizers === undefined ? {} : { finalizers: [...finalizers] }),
      ownerReferences: [controllerReference(owner)],
    },
    spec: { ...(template.spec ?? { containers: [] }) },
  }
}

/** Pod names should stay valid host names: a dash only when the result is not too long for it. */
const generateNameOf = (ownerName: string): string => (ownerName.length + 1 > 253 ? ownerName : `${ownerName}-`)
