// A node may write its own Node object and the pods bound to it, and nothing that would give it more than that.
import type { AuthenticationV1TokenRequest, Node, Pod } from '../../../common/api/generated/types.ts'
import { forbidden, notFound, type StatusError } from '../../../common/machinery/status.ts'
import { lookup } from '../registry/context.ts'
import { sameJson } from '../registry/same-json.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts'

const userPrefix = 'system:node:'
const protectedLabels = 'node-restriction.kubernetes.io/'

/** The node a user is, if it is one. */
export function nodeNameOf(user: { readonly name: string; readonly groups: readonly string[] }): string | undefined {
  return user.name.startsWith(userPrefix) && user.groups.includes('system:nodes')
    ? user.name.slice(userPrefix.length)
    : undefined
}

export const nodeRestriction: AdmissionPlugin = {
  name: 'NodeRestriction',
  concerns: ({ group, resource }) => Object.hasOwn(restrictions, `${group}/${resource}`),
  validate(attributes) {
    const { request, resourceName } = attributes
    const node = nodeNameOf(request.user)
    if (node !== undefined) restrictions[`${resourceName.group}/${resourceName.resource}`]?.(attributes, node)
  },
}

const leaseNamespace = 'kube-node-lease'

const restrictions: Readonly<Record<string, (attributes: AdmissionAttributes, node: string) => void>> = {
  '/nodes': restrictNode,
  '/pods': (attributes, node) => {
    if (attributes.subresource === 'eviction') restrictEviction(attributes, node)
    else restrictPod(attributes, node)
  },
  '/serviceaccounts': restrictToken,
  'coordination.k8s.io/leases': (attributes, node) => {
    if (attributes.namespace !== leaseNamespace)
      throw refuse(attributes, `can only access leases in the ${JSON.stringify(leaseNamespace)} system namespace`)
    if (attributes.name !== node)
      throw refuse(attributes, 'can only access node lease with the same name as the requesting node')
  },
  'storage.k8s.io/csinodes': (attributes, node) => {
    if (attributes.name !== node)
      throw refuse(attributes, 'can only access CSINode with the same name as the requesting node')
  },
}

const refuse = ({ resourceName, name }: AdmissionAttributes, why: string): StatusError =>
  forbidden(resourceName, name, why)

function restrictNode(attributes: AdmissionAttributes, node: string): void {
  const { name, operation, object, old } = attributes
  if (name !== node)
    throw refuse(attributes, `node ${JSON.stringify(node)} is not allowed to modify node ${JSON.stringify(name)}`)
  if (operation !== 'UPDATE' && operation !== 'CREATE') return
  const before = (old as Node | undefined)?.metadata?.labels ?? {}
  const after = (object as Node).metadata?.labels ?? {}
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => key.includes(protectedLabels) && before[key] !== after[key],
  )
  if (changed.length > 0) throw refuse(attributes, `is not allowed to modify labels: ${changed.sort().join(', ')}`)
  if (
    operation === 'UPDATE' &&
    JSON.stringify((object as Node).spec?.taints ?? []) !== JSON.stringify((old as Node).spec?.taints ?? [])
  ) {
    throw refuse(attributes, `node ${JSON.stringify(node)} is not allowed to modify taints`)
  }
}

function restrictPod(attributes: AdmissionAttributes, node: string): void {
  const { operation, object, old, subresource } = attributes
  const who = `node ${JSON.stringify(node)}`
  if (operation === 'CREATE' && subresource === '') {
    restrictMirrorPod(attributes, object as Pod, who, node)
    return
  }
  const verb = operation === 'DELETE' ? 'delete' : subresource === 'status' ? 'update pod status for' : 'update'
  if (((old as Pod | undefined)?.spec?.nodeName ?? '') !== node)
    throw refuse(attributes, `${who} can only ${verb} pods with spec.nodeName set to itself`)
  if (operation === 'DELETE') return
  if (subresource !== 'status' && subresource !== '')
    throw refuse(
      attributes,
      `unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`,
    )
  const [before, after] = [old?.metadata.labels ?? {}, object?.metadata.labels ?? {}]
  if (subresource === 'status' && !sameJson(before, after))
    throw refuse(attributes, `${who} cannot update labels through pod status`)
}

function restrictEviction(attributes: AdmissionAttributes, node: string): void {
  const { registry, namespace, name, resourceName } = attributes
  const pod = lookup(registry, '', 'pods', namespace, name)?.object as Pod | undefined
  if (pod === undefined) throw notFound(resourceName, name)
  if ((pod.spec?.nodeName ?? '') !== node)
    throw refuse(attributes, `node ${node} can only evict pods with spec.nodeName set to itself`)
}

/** A node gets tokens only for pods that run on it. */
function restrictToken(attributes: AdmissionAttributes, node: string): void {
  const { operation, subresource, object, registry, namespace } = attributes
  if (operation !== 'CREATE' || subresource !== 'token') return
  const bound = (object as AuthenticationV1TokenRequest | undefined)?.spec?.boundObjectRef
  const { apiVersion, kind, name = '', uid = '' } = bound ?? {}
  if (apiVersion !== 'v1' || kind !== 'Pod' || name === '')
    throw refuse(attributes, 'node requested token not bound to a pod')
  if (uid === '') throw refuse(attributes, 'node requested token with a pod binding without a uid')
  const pod = lookup(registry, '', 'pods', namespace, name)?.object as Pod | undefined
  if (pod === undefined) throw notFound({ group: '', resource: 'pods' }, name)
  if (pod.metadata?.uid !== uid)
    throw refuse(
      attributes,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    )
  if (pod.spec?.nodeName !== node)
    throw refuse(attributes, 'node requested token bound to a pod scheduled on a different node')
}

/** A node shows the pods it runs by itself: nothing in them may reach what the node itself could not. */
function restrictMirrorPod(attributes: AdmissionAttributes, { metadata, spec }: Pod, who: string, node: string): void {
  const mirror = 'kubernetes.io/config.mirror'
  if (metadata?.annotations?.[mirror] === undefined)
    throw refuse(
      attributes,
      `pod does not have ${JSON.stringify(mirror)} annotation, ${who} can only create mirror pods`,
    )
  if ((spec?.nodeName ?? '') !== node)
    throw refuse(attributes, `${who} can only create pods with spec.nodeName set to itself`)
  if ((spec?.serviceAccountName ?? '') !== '')
    throw refuse(attributes, `${who} can not create pods that reference a service account`)
  const references: readonly (readonly [what: string, used: boolean])[] = [
    ['secrets', spec?.volumes?.some(({ secret }) => secret !== undefined) === true],
    ['configmaps', spec?.volumes?.some(({ configMap }) => configMap !== undefined) === true],
    ['persistentvolumeclaims', spec?.volumes?.some((volume) => volume.persistentVolumeClaim !== undefined) === true],
    ['resourceclaims', (spec?.resourceClaims ?? []).length > 0],
  ]
  const used = references.find(([, is]) => is)
  if (used !== undefined) throw refuse(attributes, `${who} can not create pods that reference ${used[0]}`)
}
