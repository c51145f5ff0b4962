// A node may write its own Node object and the pods bound to it, and nothing that would give it more than that.
import type {
  CertificateSigningRequest,
  ResourceV1ResourceSlice as ResourceSlice,
} from '../../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { commonNameOf } from '../certificate-subject.ts'
import { restrictClaim } from './claims.ts'
import { restrictNode } from './nodes.ts'
import { restrictPod } from './pods.ts'
import { quoted, refuse, type Restriction } from './refuse.ts'
import { restrictToken } from './tokens.ts'

const userPrefix = 'system:node:'

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
    if (node === undefined) return
    if (node === '') throw refuse(attributes, `could not determine node from user ${quoted(request.user.name)}`)
    restrictions[`${resourceName.group}/${resourceName.resource}`]?.(attributes, node)
  },
}

const leaseNamespace = 'kube-node-lease'

const restrictLease: Restriction = (attributes, node) => {
  if (attributes.namespace !== leaseNamespace)
    throw refuse(attributes, `can only access leases in the ${quoted(leaseNamespace)} system namespace`)
  if (attributes.name !== node)
    throw refuse(attributes, 'can only access node lease with the same name as the requesting node')
}

const restrictCsiNode: Restriction = (attributes, node) => {
  if (attributes.name !== node)
    throw refuse(attributes, 'can only access CSINode with the same name as the requesting node')
}

/** What slices exist is the authorizer's to look at; those that come, and each of a collection that goes, are seen here. */
const restrictSlice: Restriction = (attributes, node) => {
  const { operation, object, old } = attributes
  if (operation === 'UPDATE') return
  const slice = (operation === 'CREATE' ? object : old) as ResourceSlice | undefined
  if (slice?.spec.nodeName !== node)
    throw refuse(
      attributes,
      `can only ${operation.toLowerCase()} ResourceSlice with the same NodeName as the requesting node`,
    )
}

const kubeletSigners = ['kubernetes.io/kubelet-serving', 'kubernetes.io/kube-apiserver-client-kubelet']

const restrictCertificate: Restriction = (attributes, node) => {
  if (attributes.operation !== 'CREATE') return
  const { spec } = attributes.object as KubeObject & CertificateSigningRequest
  if (!kubeletSigners.includes(spec.signerName)) return
  if (commonNameOf(Buffer.from(spec.request, 'base64').toString()) !== `${userPrefix}${node}`)
    throw refuse(attributes, `can only create a node CSR with CN=${userPrefix}${node}`)
}

/** By group/resource. */
const restrictions: Readonly<Record<string, Restriction>> = {
  '/nodes': restrictNode,
  '/pods': restrictPod,
  '/persistentvolumeclaims': restrictClaim,
  '/serviceaccounts': restrictToken,
  'coordination.k8s.io/leases': restrictLease,
  'storage.k8s.io/csinodes': restrictCsiNode,
  'resource.k8s.io/resourceslices': restrictSlice,
  'certificates.k8s.io/certificatesigningrequests': restrictCertificate,
}
