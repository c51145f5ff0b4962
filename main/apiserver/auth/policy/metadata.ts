import type { KubeObject } from '../../../../common/machinery/meta.ts'

/** Of roles and bindings that every cluster begins with. */
export const bootstrapMetadata = (name: string, labels?: Readonly<Record<string, string>>): KubeObject['metadata'] => ({
  name,
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
  annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
})
