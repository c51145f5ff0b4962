// What stands in a field that nobody set but that Go's types always have: "" and 0 for scalars, an empty struct for structs. Kinds and
// controllers rely on it: what the types call required is there after decoding, and validation says what is wrong with it.
import type { Field, TypeFact } from '../../api/facts.ts'
import type { Definitions } from './definitions.ts'
import { requireDefinition, shortName } from './definitions.ts'
import { zeroScalars } from './scalars.ts'

/** Pointers in Go although the document calls them required: they stay absent, which validation tells from empty. */
const pointerTypes: ReadonlySet<string> = new Set(['LabelSelector'])
const pointerFields: ReadonlySet<string> = new Set([
  'IPAddressSpec.parentRef',
  'MutatingWebhook.sideEffects',
  'ReplicationControllerSpec.template',
  'ScaleIOPersistentVolumeSource.secretRef',
  'ScaleIOVolumeSource.secretRef',
  'ValidatingWebhook.sideEffects',
])
/** Structs everywhere, though the document does not always call them required. */
const structFields: ReadonlySet<string> = new Set(['spec', 'template'])
/** Absent times and raw values are null in Go, which is as good as absent. */
const neverFilled: ReadonlySet<TypeFact> = new Set<TypeFact>(['time', 'micro-time', 'any', 'bytes'])

/** True when a `struct` ("PodSpec") always has this field. */
export function isAlwaysThere(definitions: Definitions, struct: string, name: string, field: Field): boolean {
  const { type, required } = field
  if (pointerFields.has(`${struct}.${name}`) || neverFilled.has(type)) return false
  if (typeof type === 'string' || !('ref' in type)) return required === true
  if (pointerTypes.has(shortName(type.ref))) return false
  const { is } = requireDefinition(definitions, type.ref)
  if (is !== undefined) return required === true && !neverFilled.has(is)
  return required === true || structFields.has(name)
}

/** What a JSON null becomes inside a list or map, where Go has no way to leave it out. */
export function zeroValue(type: TypeFact, definitions: Definitions): unknown {
  if (typeof type === 'string') return zeroScalars[type]
  if ('array' in type || 'map' in type) return null
  const { is } = requireDefinition(definitions, type.ref)
  return is === undefined ? {} : zeroValue(is, definitions)
}
