// A node gets tokens only for pods that run on it.
import type { AuthenticationV1TokenRequest, Pod } from '../../../../common/api/generated/types.ts'
import { notFound } from '../../../../common/machinery/status.ts'
import { lookup } from '../../registry/context.ts'
import { refuse, type Restriction } from './refuse.ts'

export const restrictToken: Restriction = (attributes, node) => {
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
