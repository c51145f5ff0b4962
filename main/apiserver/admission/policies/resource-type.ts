// The CEL type of a resource's objects: from the facts for built-in kinds, from the definition's schema for custom ones.
import type { Definition, TypeFact } from '../../../../common/api/facts.ts'
import type { Definitions } from '../../../../common/machinery/schema/definitions.ts'
import { bool, type CelType, double, dyn, int, listOf, mapOf, type ObjectType, string } from '../../cel/types.ts'
import { escapeName, typeOfSchema } from '../../crd/rules/schema-type.ts'
import { kubernetesFacts, schemaOf } from '../../registry/decode.ts'
import type { ServedResource } from '../../registry/served-resource.ts'

const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'
const types = new WeakMap<ServedResource, CelType>()

/** Made once for each resource. */
export function typeOfResource(resource: ServedResource): CelType {
  let type = types.get(resource)
  if (type === undefined) {
    type = makeType(resource)
    types.set(resource, type)
  }
  return type
}

function makeType({ kind, custom }: ServedResource): CelType {
  if (custom === undefined) {
    const { root, definitions } = schemaOf(kind)
    return definedType(definitions, root, kind.kind, [])
  }
  const type = typeOfSchema(custom.openApiSchema(), false, kind.kind)
  if (type?.kind !== 'object') return dyn
  const metadata = definedType(kubernetesFacts.definitions, objectMeta, `${kind.kind}.metadata`, [])
  const standard = [['apiVersion', string] as const, ['kind', string] as const, ['metadata', metadata] as const]
  return { ...type, fields: new Map([...type.fields, ...standard]) }
}

/** `within`: the definitions around this one; one that contains itself is of any type there. */
function definedType(definitions: Definitions, name: string, shown: string, within: readonly string[]): CelType {
  const definition: Definition | undefined = definitions[name]
  if (definition === undefined || within.includes(name)) return dyn
  if (definition.is !== undefined) return factType(definitions, definition.is, shown, within)
  const fields = new Map<string, CelType>()
  const jsonNames = new Map<string, string>()
  for (const [property, { type }] of Object.entries(definition.fields ?? {})) {
    const escaped = escapeName(property)
    if (escaped === undefined) continue
    fields.set(escaped, factType(definitions, type, `${shown}.${property}`, [...within, name]))
    if (escaped !== property) jsonNames.set(escaped, property)
  }
  return { kind: 'object', name: shown, fields, jsonNames } satisfies ObjectType
}

function factType(definitions: Definitions, fact: TypeFact, shown: string, within: readonly string[]): CelType {
  if (typeof fact === 'object') {
    if ('ref' in fact) return definedType(definitions, fact.ref, shown, within)
    if ('array' in fact) return listOf(factType(definitions, fact.array, `${shown}.@idx`, within))
    return mapOf(string, factType(definitions, fact.map, `${shown}.@elem`, within))
  }
  switch (fact) {
    case 'string':
      return string
    case 'bytes':
      return { kind: 'bytes' }
    case 'time':
    case 'micro-time':
      return { kind: 'timestamp' }
    case 'boolean':
      return bool
    case 'number':
      return double
    case 'int32':
    case 'int64':
      return int
    case 'quantity':
    case 'int-or-string':
    case 'any':
      return dyn
  }
}
