// A structural schema in the form of facts, for field ownership: which lists are maps, sets or atomic.
import type { Definition, Field, TypeFact } from '../../../common/api/facts.ts'
import type { Definitions } from '../../../common/machinery/schema/definitions.ts'
import type { Schema } from './structural-schema.ts'

const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** Definitions named `root` and "root.path.to.field"; ObjectMeta is taken from the shared ones. */
export function fieldDefinitionsOf(root: string, schema: Schema): Definitions {
  const found: Record<string, Definition> = {}
  const define = (name: string, of: Schema, extra: Record<string, Field>): void => {
    const fields: Record<string, Field> = { ...extra }
    for (const [field, property] of Object.entries(of.properties ?? {})) {
      if (field in extra) continue
      fields[field] = fieldOf(property, `${name}.${field}`)
    }
    found[name] = { fields, ...(of['x-kubernetes-map-type'] === 'atomic' ? { mapType: 'atomic' as const } : {}) }
  }
  const fieldOf = (of: Schema, name: string): Field => {
    const type = typeOf(of, name)
    const listType = of['x-kubernetes-list-type']
    const keys = of['x-kubernetes-list-map-keys']
    return {
      type,
      ...(of.type === 'array'
        ? { listType: listType === 'map' || listType === 'set' ? listType : ('atomic' as const) }
        : {}),
      ...(listType === 'map' && keys !== undefined ? { listMapKeys: [...keys] } : {}),
      ...(of['x-kubernetes-map-type'] === 'atomic' ? { mapType: 'atomic' as const } : {}),
    }
  }
  const typeOf = (of: Schema, name: string): TypeFact => {
    if (of['x-kubernetes-int-or-string'] === true) return 'int-or-string'
    switch (of.type) {
      case 'string':
        return 'string'
      case 'boolean':
        return 'boolean'
      case 'integer':
        return 'int64'
      case 'number':
        return 'number'
      case 'array':
        return { array: of.items === undefined ? 'any' : typeOf(of.items, `${name}.items`) }
      case undefined:
      default:
        break
    }
    if (typeof of.additionalProperties === 'object') return { map: typeOf(of.additionalProperties, `${name}.values`) }
    // Fields besides the declared ones are free to ownership anyway.
    if (of.properties === undefined) return 'any'
    define(name, of, {})
    return { ref: name }
  }
  define(root, schema, {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: { ref: objectMeta } },
  })
  return found
}
