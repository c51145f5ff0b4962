// Of pods a node writes those bound to it: what they are at, and the mirrors of what it runs by itself.
import type { Node, OwnerReference, Pod } from '../../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import { notFound } from '../../../../common/machinery/status.ts'
import { podConfigMaps, podSecrets } from '../../auth/node-relations.ts'
import { lookup } from '../../registry/context.ts'
import { sameJson } from '../../registry/same-json.ts'
import type { AdmissionAttributes } from '../admission.ts'
import { quoted, refuse, type Restriction } from './refuse.ts'

type StoredPod = Pod & KubeObject

export const restrictPod: Restriction = (attributes, node) => {
  switch (attributes.subresource) {
    case '':
      restrictWhole(attributes, node)
      break
    case 'status':
      restrictStatus(attributes, node)
      break
    case 'eviction':
      restrictEviction(attributes, node)
      break
    default:
      throw refuse(
        attributes,
        `unexpected pod subresource ${quoted(attributes.subresource)}, only 'status' and 'eviction' are allowed`,
      )
  }
}

const restrictWhole: Restriction = (attributes, node) => {
  const { operation, object, old } = attributes
  const who = `node ${quoted(node)}`
  switch (operation) {
    case 'CREATE':
      restrictMirror(attributes, object as StoredPod, node)
      break
    case 'DELETE':
      if ((old as StoredPod).spec?.nodeName !== node)
        throw refuse(attributes, `${who} can only delete pods with spec.nodeName set to itself`)
      break
    default:
      throw refuse(
        attributes,
        `unexpected operation ${quoted(operation)}, ${who} can only create and delete mirror pods`,
      )
  }
}

const restrictStatus: Restriction = (attributes, node) => {
  const { operation } = attributes
  if (operation !== 'UPDATE') throw refuse(attributes, `unexpected operation ${quoted(operation)}`)
  const [before, after] = [attributes.old as StoredPod, attributes.object as StoredPod]
  const who = `node ${quoted(node)}`
  if (before.spec?.nodeName !== node)
    throw refuse(attributes, `${who} can only update pod status for pods with spec.nodeName set to itself`)
  if (!sameJson(before.metadata.labels ?? {}, after.metadata.labels ?? {}))
    throw refuse(attributes, `${who} cannot update labels through pod status`)
  if (!sameJson(before.status?.resourceClaimStatuses ?? [], after.status?.resourceClaimStatuses ?? []))
    throw refuse(attributes, `${who} cannot update resource claim statues`)
  if (!sameJson(before.status?.extendedResourceClaimStatus, after.status?.extendedResourceClaimStatus))
    throw refuse(attributes, `${who} cannot update extended resource claim status`)
}

const restrictEviction: Restriction = (attributes, node) => {
  const { operation, registry, namespace, name, resourceName } = attributes
  if (operation !== 'CREATE') throw refuse(attributes, `unexpected operation ${operation}`)
  const pod = lookup(registry, '', 'pods', namespace, name)?.object as Pod | undefined
  if (pod === undefined) throw notFound(resourceName, name)
  if (pod.spec?.nodeName !== node)
    throw refuse(attributes, `node ${node} can only evict pods with spec.nodeName set to itself`)
}

const mirror = 'kubernetes.io/config.mirror'

/** A node shows the pods it runs by itself: nothing in them may reach what the node itself could not. */
function restrictMirror(attributes: AdmissionAttributes, pod: StoredPod, node: string): void {
  const { metadata, spec } = pod
  const who = `node ${quoted(node)}`
  if (metadata.annotations?.[mirror] === undefined)
    throw refuse(attributes, `pod does not have ${quoted(mirror)} annotation, ${who} can only create mirror pods`)
  if (spec?.nodeName !== node) throw refuse(attributes, `${who} can only create pods with spec.nodeName set to itself`)
  restrictOwner(attributes, metadata.ownerReferences ?? [], node)
  const used = referenced(pod)
  if (used !== undefined) throw refuse(attributes, `${who} can not create pods that reference ${used}`)
}

function restrictOwner(attributes: AdmissionAttributes, owners: readonly OwnerReference[], node: string): void {
  const who = `node ${quoted(node)}`
  if (owners.length > 1)
    throw refuse(attributes, `${who} can only create pods with a single owner reference set to itself`)
  const [owner] = owners
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    throw refuse(attributes, `${who} can only create pods with an owner reference set to itself`)
  if (owner.controller !== true)
    throw refuse(attributes, `${who} can only create pods with a controller owner reference set to itself`)
  if (owner.blockOwnerDeletion === true)
    throw refuse(attributes, `${who} must not set blockOwnerDeletion on an owner reference`)
  const found = lookup(attributes.registry, '', 'nodes', undefined, node)?.object as (Node & KubeObject) | undefined
  if (found === undefined) throw notFound({ group: '', resource: 'nodes' }, node)
  const { uid = '' } = found.metadata
  if (owner.uid !== uid) throw refuse(attributes, `node ${node} UID mismatch: expected ${owner.uid} got ${uid}`)
}

/** The plural of a kind of objects that the pod makes use of. */
function referenced(pod: StoredPod): string | undefined {
  const { serviceAccountName = '', resourceClaims = [], volumes = [] } = pod.spec ?? {}
  if (serviceAccountName !== '') return 'serviceaccounts'
  if (podSecrets(pod).some((name) => name !== undefined)) return 'secrets'
  if (podConfigMaps(pod).some((name) => name !== undefined)) return 'configmaps'
  if (resourceClaims.length > 0) return 'resourceclaims'
  for (const { azureFile, csi, ephemeral, glusterfs, persistentVolumeClaim, projected } of volumes) {
    if (csi !== undefined) return 'csidrivers (via CSI volumes)'
    if (glusterfs !== undefined) return 'endpoints (via glusterFS volumes)'
    if (persistentVolumeClaim !== undefined) return 'persistentvolumeclaims'
    if (ephemeral !== undefined) return 'persistentvolumeclaims (via ephemeral volumes)'
    if (azureFile !== undefined) return 'secrets (via azureFile volumes)'
    for (const { clusterTrustBundle, podCertificate, serviceAccountToken } of projected?.sources ?? []) {
      if (serviceAccountToken !== undefined) return 'serviceaccounts (via projected volumes)'
      if (clusterTrustBundle !== undefined) return 'clustertrustbundles'
      if (podCertificate !== undefined) return 'podcertificates'
    }
  }
  return undefined
}
