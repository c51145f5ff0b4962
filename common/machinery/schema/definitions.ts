// Where structure comes from: definitions by full name, from the Kubernetes facts, an own group or a custom resource.
import type { Definition, TypeFact } from '../../api/facts.ts'

export type Definitions = Readonly<Record<string, Definition>>

/** Own properties only: a definition must not be found on Object.prototype. */
export function findDefinition(definitions: Definitions, name: string): Definition | undefined {
  return Object.hasOwn(definitions, name) ? definitions[name] : undefined
}

export function requireDefinition(definitions: Definitions, name: string): Definition {
  const definition = findDefinition(definitions, name)
  if (definition === undefined) throw new Error(`no definition named ${name}`)
  return definition
}

/** Own definitions first, then the shared ones they refer to (ObjectMeta and the like). */
export const mergeDefinitions = (own: Definitions, shared: Definitions): Definitions => ({ ...shared, ...own })

/** "io.k8s.api.apps.v1.DeploymentSpec" -> "DeploymentSpec". */
export const shortName = (definition: string): string => definition.slice(definition.lastIndexOf('.') + 1)

/** How Go prints the type in errors: "int32", "v1.PodSpec", "map[string]string", "[]v1.Container". */
export function goTypeName(type: TypeFact): string {
  if (typeof type === 'string') return goScalars[type] ?? type
  if ('ref' in type) return type.ref.split('.').slice(-2).join('.')
  if ('array' in type) return `[]${goTypeName(type.array)}`
  return `map[string]${goTypeName(type.map)}`
}

const goScalars: Record<string, string> = {
  boolean: 'bool',
  number: 'float64',
  bytes: '[]uint8',
  time: 'v1.Time',
  'micro-time': 'v1.MicroTime',
  quantity: 'resource.Quantity',
  'int-or-string': 'intstr.IntOrString',
  any: 'interface {}',
}
