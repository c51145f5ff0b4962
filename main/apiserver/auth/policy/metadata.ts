import type { KubeObject } from '../../../../common/machinery/meta.ts'

/** "true": what a version adds to the object is added to it. */
export const autoUpdateAnnotation = 'rbac.authorization.kubernetes.io/autoupdate'

/** Of roles and bindings that every cluster begins with. */
export const bootstrapMetadata = (name: string, labels?: Readonly<Record<string, string>>): KubeObject['metadata'] => ({
  name,
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
  annotations: { [autoUpdateAnnotation]: 'true' },
})
