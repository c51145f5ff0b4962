// The variables of an expression about a request; converted when an expression looks at them.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { Authorizer } from '../auth/authorizer.ts'
import { namespaceType, requestType } from '../cel/environments.ts'
import { newAuthorizerValue, newResourceCheck } from '../cel/library/authorizer.ts'
import { dyn } from '../cel/types.ts'
import { fromJson } from '../cel/values.ts'
import { lookup } from '../registry/context.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import type { AdmissionAttributes } from './admission.ts'
import { asMatched } from './matched-version.ts'
import { requestFacts } from './request-facts.ts'

export function expressionVariables(
  attributes: AdmissionAttributes,
  { matched, authorizer }: { readonly matched: ServedResource; readonly authorizer: Authorizer },
): Readonly<Record<string, unknown>> {
  const { request, resource, registry, namespace, subresource, name, resourceName } = attributes
  const objectOf = (object: KubeObject | undefined): unknown =>
    object === undefined ? null : fromJson(asMatched(attributes, matched, object), dyn)
  const found = resource.namespaced ? lookup(registry, '', 'namespaces', undefined, namespace)?.object : undefined
  return {
    object: objectOf(attributes.object),
    oldObject: objectOf(attributes.old),
    request: fromJson(requestDefaults(requestFacts(attributes, matched)), requestType),
    namespaceObject: found === undefined ? null : fromJson(found, namespaceType),
    authorizer: newAuthorizerValue(authorizer, request.user),
    'authorizer.requestResource': newResourceCheck({
      authorizer,
      user: request.user,
      group: resourceName.group,
      resource: resourceName.resource,
      subresource,
      namespace,
      name,
    }),
  }
}

/** Expressions may look at every field of the request, also at those that are left out when empty. */
const requestDefaults = (facts: object): object => ({
  subResource: '',
  requestSubResource: '',
  name: '',
  namespace: '',
  ...facts,
})
