// Names in OpenAPI documents that generated clients are made from: operation ids, tags and schema names, formed as upstream forms them.
import { kubernetesFacts } from '../registry/decode.ts'

export interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

export const titleCase = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

const words = (group: string): string[] => (group === '' ? ['core'] : group.replace(/\.k8s\.io$/, '').split(/[.-]/))

/** "rbac.authorization.k8s.io" -> "RbacAuthorization". */
export const groupTitle = (group: string): string => words(group).map(titleCase).join('')

/** "rbac.authorization.k8s.io", "v1" -> "rbacAuthorization_v1"; without a version the group's own tag. */
export function tagOf(group: string, version?: string): string {
  const [first = '', ...rest] = words(group)
  return `${first}${rest.map(titleCase).join('')}${version === undefined ? '' : `_${version}`}`
}

let schemaNames: Map<string, string> | undefined
const keyOf = ({ group, version, kind }: GroupVersionKind): string => `${group}/${version}/${kind}`

/** The definition of a Kubernetes kind: "io.k8s.api.autoscaling.v1.Scale". */
export function schemaNameOf(type: GroupVersionKind): string | undefined {
  schemaNames ??= new Map(
    Object.entries(kubernetesFacts.definitions).flatMap(([name, { gvk }]) =>
      gvk === undefined ? [] : [[keyOf(gvk), name] as const],
    ),
  )
  return schemaNames.get(keyOf(type))
}

/** "com.example.v1.Widget" for group example.com, as upstream names custom kinds. */
export const customSchemaName = ({ group, version, kind }: GroupVersionKind): string =>
  [...group.split('.').reverse(), version, kind].join('.')
