// The parameters a binding gives its policy.
import type {
  AdmissionregistrationV1ParamKind,
  AdmissionregistrationV1ParamRef,
} from '../../../../common/api/generated/types.ts'
import { matchesLabels, selectorFromObject } from '../../../../common/machinery/labels.ts'
import { type KubeObject, parseApiVersion } from '../../../../common/machinery/meta.ts'
import { lookup, lookupAll } from '../../registry/context.ts'
import type { AdmissionAttributes } from '../admission.ts'

/** Undefined in the list: evaluated without parameters. Throws an Error that says how the binding is wrong. */
export function collectParams(
  paramKind: AdmissionregistrationV1ParamKind | undefined,
  paramRef: AdmissionregistrationV1ParamRef | undefined,
  { registry, namespace }: AdmissionAttributes,
): (KubeObject | undefined)[] {
  if (paramKind === undefined || paramRef === undefined) return [undefined]
  const { apiVersion = '', kind = '' } = paramKind
  const { group, version } = parseApiVersion(apiVersion)
  const resource = registry.resources.findKind(group, version, kind)
  if (resource === undefined) throw new Error(`paramKind kind \`${apiVersion}, Kind=${kind}\` not known`)
  const asked = paramRef.namespace ?? ''
  if (!resource.namespaced && asked !== '')
    throw new Error('paramRef.namespace must not be provided for a cluster-scoped `paramKind`')
  const where = resource.namespaced ? (asked === '' ? namespace : asked) : undefined
  if (where === '')
    throw new Error('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources')
  const { name = '', selector } = paramRef
  const found =
    name !== ''
      ? [lookup(registry, group, resource.kind.plural, where, name)?.object]
      : lookupAll(registry, group, resource.kind.plural, where)
          .map(({ object }) => object)
          .filter(({ metadata }) => matchesLabels(selectorFromObject(selector ?? {}), metadata.labels))
  const params = found.filter((param) => param !== undefined)
  if (params.length === 0 && paramRef.parameterNotFoundAction === 'Deny')
    throw new Error('no params found for policy binding with `Deny` parameterNotFoundAction')
  return params.map((param) => ({ ...param, apiVersion, kind }))
}
