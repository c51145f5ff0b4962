// Whether the defaults in a schema fit the schema themselves.
import { type FieldError, invalidValue } from '../../../common/machinery/field-error.ts'
import { prune, type Schema, validate } from './structural-schema.ts'

/** `path` is where the schema stands in the definition. */
export function checkDefaults(path: string, schema: Schema): FieldError[] {
  const errors: FieldError[] = []
  const { default: preset } = schema as { default?: unknown }
  if (preset !== undefined) {
    const at = `${path}.default`
    const pruned: unknown = structuredClone(preset)
    if (prune(pruned, schema, '', false).length > 0)
      errors.push(invalidValue(at, preset, 'must not have unknown fields'))
    errors.push(...validate(pruned, schema, at))
  }
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    errors.push(...checkDefaults(`${path}.properties[${name}]`, property))
  if (schema.items !== undefined) errors.push(...checkDefaults(`${path}.items`, schema.items))
  if (typeof schema.additionalProperties === 'object')
    errors.push(...checkDefaults(`${path}.additionalProperties`, schema.additionalProperties))
  return errors
}
