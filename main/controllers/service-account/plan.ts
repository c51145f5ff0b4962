// Pure: what every namespace must contain before pods can run in it.
import type { ConfigMap, Namespace, ServiceAccount } from '../../../common/api/generated/types.ts'

export const rootCaConfigMap = 'kube-root-ca.crt'
const descriptionAnnotation = 'kubernetes.io/description'
const description =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. ' +
  'No other usage is guaranteed across distributions of Kubernetes clusters.'

export interface NamespacePlan {
  createAccount?: ServiceAccount
  createRootCa?: ConfigMap
  updateRootCa?: ConfigMap
}

export function planNamespace(
  namespace: Namespace,
  account: ServiceAccount | undefined,
  configMap: ConfigMap | undefined,
  rootCa: string,
): NamespacePlan {
  if (namespace.status?.phase === 'Terminating' || namespace.metadata.deletionTimestamp !== undefined) return {}
  const { name } = namespace.metadata
  const plan: NamespacePlan = {}
  if (account === undefined)
    plan.createAccount = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } }
  if (configMap === undefined) {
    plan.createRootCa = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: rootCaConfigMap, namespace: name, annotations: { [descriptionAnnotation]: description } },
      data: { 'ca.crt': rootCa },
    }
  } else if (
    configMap.data?.['ca.crt'] !== rootCa ||
    Object.keys(configMap.data).length !== 1 ||
    configMap.metadata.annotations?.[descriptionAnnotation] !== description
  ) {
    plan.updateRootCa = {
      ...configMap,
      metadata: {
        ...configMap.metadata,
        annotations: { ...configMap.metadata.annotations, [descriptionAnnotation]: description },
      },
      data: { 'ca.crt': rootCa },
    }
  }
  return plan
}
