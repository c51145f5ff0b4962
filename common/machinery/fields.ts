// Field selectors ("metadata.name=a,status.phase!=Running"): equality only. Source: apimachinery pkg/fields.
import { badRequest } from './status.ts'

export interface FieldRequirement {
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}

export type FieldSelector = readonly FieldRequirement[]

/** Parses the string form; throws StatusError 400 with upstream's message. Terms for one field add up (all must hold). */
export function parseFieldSelector(text: string): FieldSelector {
  const requirements: FieldRequirement[] = []
  for (const term of splitTerms(text)) {
    if (term === '') continue
    const parsed = splitTerm(term)
    if (parsed === undefined) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`)
    requirements.push({ ...parsed, value: unescapeValue(parsed.value) })
  }
  return requirements
}

/** Whether an object with these selectable fields is selected. A field that is not selectable is a 400 as upstream words it. */
export function matchesFields(selector: FieldSelector, fields: Readonly<Record<string, string>>): boolean {
  return selector.every(({ field, operator, value }) => {
    if (!Object.hasOwn(fields, field)) throw unsupportedField(field)
    return (fields[field] === value) === (operator === '=')
  })
}

/** Fails with 400 when the selector names a field outside `supported`. */
export function requireSelectableFields(selector: FieldSelector, supported: Iterable<string>): void {
  const known = new Set(supported)
  for (const { field } of selector) if (!known.has(field)) throw unsupportedField(field)
}

/** The value the selector demands for a field ("=" term), for looking up by name instead of scanning. */
export const requiredFieldValue = (selector: FieldSelector, field: string): string | undefined =>
  selector.find((requirement) => requirement.field === field && requirement.operator === '=')?.value

export const formatFieldSelector = (selector: FieldSelector): string =>
  selector.map(({ field, operator, value }) => `${field}${operator}${value.replace(/[\\,=]/g, '\\$&')}`).join(',')

const unsupportedField = (field: string): Error => badRequest(`field label not supported: ${field}`)

/** Splits at commas that are not escaped with a backslash. */
function splitTerms(text: string): string[] {
  const terms: string[] = []
  let start = 0
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1
    else if (text[index] === ',') {
      terms.push(text.slice(start, index))
      start = index + 1
    }
  }
  terms.push(text.slice(start))
  return terms
}

function splitTerm(term: string): FieldRequirement | undefined {
  for (let index = 0; index < term.length; index += 1) {
    for (const sign of ['!=', '==', '=']) {
      if (!term.startsWith(sign, index)) continue
      const operator = sign === '!=' ? '!=' : '='
      return { field: term.slice(0, index), operator, value: term.slice(index + sign.length) }
    }
  }
  return undefined
}

function unescapeValue(value: string): string {
  let plain = ''
  for (let index = 0; index < value.length; index += 1) {
    const character = value.charAt(index)
    if (character === '=') throw badRequest(`invalid field selector: unescaped character in value: ${character}`)
    if (character !== '\\') {
      plain += character
      continue
    }
    index += 1
    const escaped = value.charAt(index)
    if (!['\\', ',', '='].includes(escaped)) {
      throw badRequest(`invalid field selector: invalid escape sequence: \\${escaped}`)
    }
    plain += escaped
  }
  return plain
}
