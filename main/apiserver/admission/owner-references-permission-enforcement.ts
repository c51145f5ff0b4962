// OwnerReferencesPermissionEnforcement: whoever ties an object's life to another's must be allowed to delete the object, and to
// change the owner's finalizers when deletion of the owner shall wait.
import type { OwnerReference } from '../../../common/api/generated/types.ts'
import { parseApiVersion } from '../../../common/machinery/meta.ts'
import { forbidden } from '../../../common/machinery/status.ts'
import type { Authorizer } from '../auth/authorizer.ts'
import { sameJson } from '../registry/same-json.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts'

export const ownerReferencesPermissionEnforcement = (authorizer: () => Authorizer): AdmissionPlugin => ({
  name: 'OwnerReferencesPermissionEnforcement',
  validate(attributes) {
    const { object, old, operation, request, resourceName, subresource, namespace, name } = attributes
    if (object === undefined || operation === 'DELETE' || subresource === 'status') return
    const before = old?.metadata.ownerReferences ?? []
    const after = object.metadata.ownerReferences ?? []
    if (sameJson(before, after)) return
    const allowed = authorizer().authorize({
      user: request.user,
      verb: 'delete',
      group: resourceName.group,
      resource: resourceName.resource,
      subresource,
      namespace,
      name,
    })
    if (!allowed.allowed)
      throw forbidden(
        resourceName,
        name,
        `cannot set an ownerRef on a resource you can't delete: ${allowed.reason}, <nil>`,
      )
    const blocking = after.filter(
      (reference) =>
        reference.blockOwnerDeletion === true &&
        before.every((other) => other.uid !== reference.uid || other.blockOwnerDeletion !== true),
    )
    for (const reference of blocking) requireFinalizers(authorizer(), attributes, reference)
  },
})

function requireFinalizers(authorizer: Authorizer, attributes: AdmissionAttributes, reference: OwnerReference): void {
  const { registry, request, resourceName, name, namespace } = attributes
  const { group, version } = parseApiVersion(reference.apiVersion)
  const owner = registry.resources.findKind(group, version, reference.kind)
  const decision =
    owner === undefined
      ? { allowed: false, reason: '' }
      : authorizer.authorize({
          user: request.user,
          verb: 'update',
          group,
          resource: owner.kind.plural,
          subresource: 'finalizers',
          namespace: owner.namespaced ? namespace : '',
          name: reference.name,
        })
  if (decision.allowed) return
  const why =
    owner === undefined
      ? `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${reference.apiVersion} Kind ${reference.kind}`
      : `cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: ${decision.reason}, <nil>`
  throw forbidden(resourceName, name, why)
}
