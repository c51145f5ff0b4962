// Pure: the ConfigMap by which every namespace's pods know the cluster's CA.
import type { ConfigMap, Namespace } from '../../../common/api/generated/types.ts'

export const rootCaConfigMap = 'kube-root-ca.crt'
const descriptionAnnotation = 'kubernetes.io/description'
const description =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. ' +
  'No other usage is guaranteed across distributions of Kubernetes clusters.'

export interface RootCaPlan {
  create?: ConfigMap
  update?: ConfigMap
}

export function planRootCa(namespace: Namespace, configMap: ConfigMap | undefined, rootCa: string): RootCaPlan {
  if (namespace.status?.phase === 'Terminating' || namespace.metadata.deletionTimestamp !== undefined) return {}
  const data = { 'ca.crt': rootCa }
  if (configMap === undefined) {
    const metadata = {
      name: rootCaConfigMap,
      namespace: namespace.metadata.name,
      annotations: { [descriptionAnnotation]: description },
    }
    return { create: { apiVersion: 'v1', kind: 'ConfigMap', metadata, data } }
  }
  const isRight =
    configMap.data?.['ca.crt'] === rootCa &&
    Object.keys(configMap.data).length === 1 &&
    configMap.metadata.annotations?.[descriptionAnnotation] === description
  if (isRight) return {}
  const annotations = { ...configMap.metadata.annotations, [descriptionAnnotation]: description }
  return { update: { ...configMap, metadata: { ...configMap.metadata, annotations }, data } }
}
