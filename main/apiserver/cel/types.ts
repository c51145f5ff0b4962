// CEL's types, as the checker reasons about them and as declarations write them ("list<string>").

export type CelType =
  | { readonly kind: Simple }
  | { readonly kind: 'list'; readonly of: CelType }
  | { readonly kind: 'map'; readonly key: CelType; readonly value: CelType }
  | { readonly kind: 'optional'; readonly of: CelType }
  | ObjectType
  /** A type of a library, known by name alone. */
  | { readonly kind: 'opaque'; readonly name: string }
  /** A type parameter of a declaration, or one still unknown while an expression is checked. */
  | { readonly kind: 'param'; readonly name: string }

export type Simple =
  'int' | 'uint' | 'double' | 'bool' | 'string' | 'bytes' | 'null' | 'dyn' | 'error' | 'duration' | 'timestamp' | 'type'

export interface ObjectType {
  readonly kind: 'object'
  readonly name: string
  /** Fields by the name expressions use. */
  readonly fields: ReadonlyMap<string, CelType>
  /** An expression's name of a field to its name in JSON, where they differ ("__if__" for "if"). */
  readonly jsonNames?: ReadonlyMap<string, string>
}

const simple = (kind: Simple): CelType => ({ kind })
export const int = simple('int')
export const uint = simple('uint')
export const double = simple('double')
export const bool = simple('bool')
export const string = simple('string')
export const bytes = simple('bytes')
export const nullType = simple('null')
export const dyn = simple('dyn')
/** The type of what was already reported as wrong: fits everywhere, so that one mistake is told once. */
export const error = simple('error')

export const typeType = simple('type')
export const listOf = (of: CelType): CelType => ({ kind: 'list', of })
export const mapOf = (key: CelType, value: CelType): CelType => ({ kind: 'map', key, value })
export const optionalOf = (of: CelType): CelType => ({ kind: 'optional', of })
export const opaque = (name: string): CelType => ({ kind: 'opaque', name })

const namesOfSimple: Partial<Record<Simple, string>> = {
  duration: 'google.protobuf.Duration',
  timestamp: 'google.protobuf.Timestamp',
  error: '!error!',
}

/** As error messages show types. */
export function typeName(type: CelType): string {
  switch (type.kind) {
    case 'list':
      return `list(${typeName(type.of)})`
    case 'map':
      return `map(${typeName(type.key)}, ${typeName(type.value)})`
    case 'optional':
      return `optional_type(${typeName(type.of)})`
    case 'object':
    case 'opaque':
    case 'param':
      return type.name
    default:
      return namesOfSimple[type.kind] ?? type.kind
  }
}

const simples = new Set<string>(
  'int uint double bool string bytes null dyn duration timestamp type'.split(' ') satisfies readonly string[],
)

/** "list<string>", "map<K, V>", "optional<A>", "net.IP"; one capital letter is a type parameter. */
export function parseType(text: string): CelType {
  const trimmed = text.trim()
  if (simples.has(trimmed)) return simple(trimmed as Simple)
  if (/^[A-Z]$/.test(trimmed)) return { kind: 'param', name: trimmed }
  const generic = /^(list|map|optional)<(.*)>$/.exec(trimmed)
  if (generic === null) return opaque(trimmed)
  const inner = splitTypes(generic[2] ?? '')
  const [first = dyn, second = dyn] = inner.map(parseType)
  if (generic[1] === 'list') return listOf(first)
  return generic[1] === 'map' ? mapOf(first, second) : optionalOf(first)
}

/** At commas outside angle brackets. */
export function splitTypes(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at <= text.length; at += 1) {
    const character = text[at]
    if (character === '<') depth += 1
    else if (character === '>') depth -= 1
    else if (character === undefined || (character === ',' && depth === 0)) {
      const part = text.slice(start, at).trim()
      if (part !== '') parts.push(part)
      start = at + 1
    }
  }
  return parts
}
