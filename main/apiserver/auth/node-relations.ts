// What belongs to a node: its pods, and what they mount, name or claim, directly or through a volume.
import type {
  PersistentVolume,
  Pod,
  ResourceV1ResourceSlice as ResourceSlice,
  Volume,
  VolumeAttachment,
} from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { lookup, lookupAll, type Registry } from '../registry/context.ts'

type StoredPod = Pod & KubeObject

export class NodeRelations {
  readonly #registry: Registry

  constructor(registry: Registry) {
    this.#registry = registry
  }

  pod(node: string, namespace: string, name: string): boolean {
    const pod = lookup(this.#registry, '', 'pods', namespace, name)?.object as Pod | undefined
    return pod?.spec?.nodeName === node
  }

  secret(node: string, namespace: string, name: string): boolean {
    if (this.#somePod(node, namespace, (pod) => podSecrets(pod).includes(name))) return true
    return lookupAll(this.#registry, '', 'persistentvolumes').some(({ object }) => {
      const { spec } = object as PersistentVolume
      const { namespace: claimNamespace = '', name: claim = '' } = spec?.claimRef ?? {}
      return (
        claim !== '' &&
        volumeSecretReferences(spec, claimNamespace).some(
          (reference) => reference.namespace === namespace && reference.name === name,
        ) &&
        this.claim(node, claimNamespace, claim)
      )
    })
  }

  configMap(node: string, namespace: string, name: string): boolean {
    return this.#somePod(node, namespace, (pod) => podConfigMaps(pod).includes(name))
  }

  account(node: string, namespace: string, name: string): boolean {
    return this.#somePod(node, namespace, ({ spec }) => (spec?.serviceAccountName ?? 'default') === name)
  }

  claim(node: string, namespace: string, name: string): boolean {
    return this.#somePod(node, namespace, ({ metadata, spec }) =>
      (spec?.volumes ?? []).some(
        ({ name: volume, persistentVolumeClaim, ephemeral }) =>
          persistentVolumeClaim?.claimName === name ||
          (ephemeral !== undefined && `${metadata.name ?? ''}-${volume}` === name),
      ),
    )
  }

  volume(node: string, name: string): boolean {
    const { spec } = (lookup(this.#registry, '', 'persistentvolumes', undefined, name)?.object ??
      {}) as PersistentVolume
    const { namespace = '', name: claim = '' } = spec?.claimRef ?? {}
    return claim !== '' && this.claim(node, namespace, claim)
  }

  attachment(node: string, name: string): boolean {
    const found = lookup(this.#registry, 'storage.k8s.io', 'volumeattachments', undefined, name)?.object
    return (found as VolumeAttachment | undefined)?.spec.nodeName === node
  }

  resourceClaim(node: string, namespace: string, name: string): boolean {
    return this.#somePod(
      node,
      namespace,
      ({ spec, status }) =>
        (spec?.resourceClaims ?? []).some(({ resourceClaimName }) => resourceClaimName === name) ||
        (status?.resourceClaimStatuses ?? []).some(({ resourceClaimName }) => resourceClaimName === name) ||
        status?.extendedResourceClaimStatus?.resourceClaimName === name,
    )
  }

  slice(node: string, name: string): boolean {
    const found = lookup(this.#registry, 'resource.k8s.io', 'resourceslices', undefined, name)?.object
    return (found as ResourceSlice | undefined)?.spec.nodeName === node
  }

  #somePod(node: string, namespace: string, test: (pod: StoredPod) => boolean): boolean {
    if (namespace === '') return false
    return lookupAll(this.#registry, '', 'pods', namespace).some(({ object }) => {
      const pod = object as StoredPod
      // A mirror was written by the node itself: what it names is not given to the node for that.
      const isMirror = pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined
      return pod.spec?.nodeName === node && !isMirror && test(pod)
    })
  }
}

const containersOf = ({ spec }: Pod): NonNullable<Pod['spec']>['containers'] => [
  ...(spec?.initContainers ?? []),
  ...(spec?.containers ?? []),
  ...((spec?.ephemeralContainers ?? []) as NonNullable<Pod['spec']>['containers']),
]

export const podSecrets = (pod: Pod): (string | undefined)[] => [
  ...(pod.spec?.imagePullSecrets ?? []).map(({ name }) => name),
  ...(pod.spec?.volumes ?? []).flatMap(volumeSecrets),
  ...containersOf(pod).flatMap(({ envFrom = [], env = [] }) => [
    ...envFrom.map(({ secretRef }) => secretRef?.name),
    ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
  ]),
]

export const podConfigMaps = (pod: Pod): (string | undefined)[] => [
  ...(pod.spec?.volumes ?? []).flatMap(({ configMap, projected }) => [
    configMap?.name,
    ...(projected?.sources ?? []).map((source) => source.configMap?.name),
  ]),
  ...containersOf(pod).flatMap(({ envFrom = [], env = [] }) => [
    ...envFrom.map(({ configMapRef }) => configMapRef?.name),
    ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
  ]),
]

const volumeSecrets = (volume: Volume): (string | undefined)[] => [
  volume.secret?.secretName,
  ...(volume.projected?.sources ?? []).map((source) => source.secret?.name),
  volume.azureFile?.secretName,
  volume.csi?.nodePublishSecretRef?.name,
  ...[volume.cephfs, volume.flexVolume, volume.iscsi, volume.rbd, volume.scaleIO, volume.storageos].map(
    (source) => source?.secretRef?.name,
  ),
]

/** Without a namespace of their own they are in the claim's. */
function volumeSecretReferences(
  spec: PersistentVolume['spec'],
  claimNamespace: string,
): { namespace: string; name: string | undefined }[] {
  const { azureFile, cephfs, csi, flexVolume, iscsi, rbd, scaleIO, storageos } = spec ?? {}
  return [
    ...[
      csi?.controllerExpandSecretRef,
      csi?.nodeExpandSecretRef,
      csi?.nodePublishSecretRef,
      csi?.nodeStageSecretRef,
      ...[cephfs, flexVolume, iscsi, rbd, scaleIO, storageos].map((source) => source?.secretRef),
    ].map((reference) => ({ namespace: reference?.namespace ?? claimNamespace, name: reference?.name })),
    { namespace: azureFile?.secretNamespace ?? claimNamespace, name: azureFile?.secretName },
  ]
}
