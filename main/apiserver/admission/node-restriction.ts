// A node may write its own Node object and the pods bound to it, and nothing that would give it more than that.
import type { Node, Pod } from '../../../common/api/generated/types.ts'
import { forbidden, type StatusError } from '../../../common/machinery/status.ts'
import { type AdmissionAttributes, type AdmissionPlugin, concernsCore } from './admission.ts'

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
  concerns: concernsCore('nodes', 'pods'),
  validate(attributes) {
    const { request, resourceName } = attributes
    const node = nodeNameOf(request.user)
    if (node === undefined || resourceName.group !== '') return
    if (resourceName.resource === 'nodes') restrictNode(attributes, node)
    else if (resourceName.resource === 'pods') restrictPod(attributes, node)
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
  if (operation === 'CREATE') {
    if ((object as Pod).metadata?.annotations?.['kubernetes.io/config.mirror'] === undefined)
      throw refuse(
        attributes,
        `pod does not have "kubernetes.io/config.mirror" annotation, node ${JSON.stringify(node)} can only create mirror pods`,
      )
    return
  }
  const owner = (old as Pod | undefined)?.spec?.nodeName ?? ''
  if (owner !== node)
    throw refuse(
      attributes,
      `node ${JSON.stringify(node)} can only ${operation === 'DELETE' ? 'delete' : 'update'} pods with spec.nodeName set to itself`,
    )
  if (operation === 'UPDATE' && subresource !== 'status' && subresource !== '')
    throw refuse(
      attributes,
      `unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`,
    )
}
