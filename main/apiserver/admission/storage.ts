// Plugins about storage: the default class of claims, protection of what is in use, growing of claims.
import type { PersistentVolumeClaim, StorageClass } from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { compareQuantities } from '../../../common/machinery/quantity.ts'
import { forbidden } from '../../../common/machinery/status.ts'
import { lookup, lookupAll } from '../registry/context.ts'
import { type AdmissionPlugin, concernsCore, isCreate } from './admission.ts'
import { newestDefault } from './default-class.ts'

type Claim = KubeObject & PersistentVolumeClaim
type Class = KubeObject & StorageClass

const defaultAnnotations = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
]

export const defaultStorageClass: AdmissionPlugin = {
  name: 'DefaultStorageClass',
  concerns: concernsCore('persistentvolumeclaims'),
  mutate(attributes) {
    if (!isCreate(attributes)) return false
    const { spec, metadata } = attributes.object as Claim
    const annotated = metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] !== undefined
    if (spec === undefined || spec.storageClassName !== undefined || annotated) return false
    const classes = lookupAll(attributes.registry, 'storage.k8s.io', 'storageclasses').map(({ object }) => object)
    const found = newestDefault(classes, defaultAnnotations)
    if (found === undefined) return false
    spec.storageClassName = found.metadata.name ?? ''
    return true
  },
}

const finalizers: Readonly<Record<string, string>> = {
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
  persistentvolumes: 'kubernetes.io/pv-protection',
  volumeattributesclasses: 'kubernetes.io/vac-protection',
}

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  concerns: ({ group, resource }) =>
    Object.hasOwn(finalizers, resource) && (group === '' || group === 'storage.k8s.io'),
  mutate(attributes) {
    const finalizer = finalizers[attributes.resourceName.resource]
    if (!isCreate(attributes) || attributes.object === undefined || finalizer === undefined) return false
    const { metadata } = attributes.object
    if (metadata.finalizers?.includes(finalizer) === true) return false
    metadata.finalizers = [...(metadata.finalizers ?? []), finalizer]
    return true
  },
}

export const persistentVolumeClaimResize: AdmissionPlugin = {
  name: 'PersistentVolumeClaimResize',
  concerns: concernsCore('persistentvolumeclaims'),
  validate({ operation, subresource, object, old, registry, resourceName, name }) {
    if (operation !== 'UPDATE' || subresource !== '') return
    const claim = object as Claim
    const before = old as Claim
    const asked = claim.spec?.resources?.requests?.['storage'] ?? '0'
    const had = before.spec?.resources?.requests?.['storage'] ?? '0'
    if (compareQuantities(asked, had) <= 0) return
    if (before.status?.phase !== 'Bound')
      throw forbidden(resourceName, name, 'only bound persistent volume claims can be expanded')
    const className =
      claim.spec?.storageClassName ?? claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? ''
    const storageClass = lookup(registry, 'storage.k8s.io', 'storageclasses', undefined, className)?.object as
      Class | undefined
    if (storageClass?.allowVolumeExpansion !== true)
      throw forbidden(
        resourceName,
        name,
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
      )
  },
}
