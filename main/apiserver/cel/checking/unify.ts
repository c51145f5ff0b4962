// Whether a type fits where another is declared, with type parameters bound on the way.
import type { CelType } from '../types.ts'
import { dyn, listOf, mapOf, optionalOf } from '../types.ts'

export type Bindings = Map<string, CelType>

const isOpen = ({ kind }: CelType): boolean => kind === 'dyn' || kind === 'error'

/** dyn fits everywhere; null fits where an object or a library's value stands. */
export function fits(actual: CelType, formal: CelType, bindings: Bindings): boolean {
  if (formal.kind === 'param') {
    const bound = bindings.get(formal.name)
    if (bound === undefined || isOpen(bound)) {
      if (bound === undefined || !isOpen(actual)) bindings.set(formal.name, actual)
      return true
    }
    return fits(actual, bound, bindings) || widen(actual, bound, formal.name, bindings)
  }
  if (isOpen(actual) || isOpen(formal)) return true
  switch (actual.kind) {
    case 'list':
      return formal.kind === 'list' && fits(actual.of, formal.of, bindings)
    case 'optional':
      return formal.kind === 'optional' && fits(actual.of, formal.of, bindings)
    case 'map':
      return (
        formal.kind === 'map' && fits(actual.key, formal.key, bindings) && fits(actual.value, formal.value, bindings)
      )
    case 'object':
      return formal.kind === 'object' && formal.name === actual.name
    case 'opaque':
    case 'param':
      return formal.kind === actual.kind && 'name' in formal && formal.name === actual.name
    case 'null':
      return (
        formal.kind === 'null' ||
        formal.kind === 'object' ||
        formal.kind === 'opaque' ||
        formal.kind === 'duration' ||
        formal.kind === 'timestamp'
      )
    default:
      return formal.kind === actual.kind
  }
}

/** A parameter first bound to null takes the later, fuller type. */
function widen(actual: CelType, bound: CelType, name: string, bindings: Bindings): boolean {
  if (!fits(bound, actual, bindings)) return false
  bindings.set(name, actual)
  return true
}

export function substitute(type: CelType, bindings: Bindings): CelType {
  switch (type.kind) {
    case 'param':
      return bindings.get(type.name) ?? dyn
    case 'list':
      return listOf(substitute(type.of, bindings))
    case 'optional':
      return optionalOf(substitute(type.of, bindings))
    case 'map':
      return mapOf(substitute(type.key, bindings), substitute(type.value, bindings))
    default:
      return type
  }
}

/** The type that both fit, dyn when there is none. */
export function join(a: CelType, b: CelType): CelType {
  if (fits(b, a, new Map())) return isOpen(b) ? b : a
  return fits(a, b, new Map()) ? b : dyn
}
