import { describe, expect, it } from 'vitest'
import {
  formatFieldSelector,
  matchesFields,
  parseFieldSelector,
  requiredFieldValue,
  requireSelectableFields,
} from './fields.ts'

describe('field selectors', () => {
  it.each([
    ['metadata.name=a', { 'metadata.name': 'a' }, true],
    ['metadata.name==a', { 'metadata.name': 'b' }, false],
    ['status.phase!=Running', { 'status.phase': 'Pending' }, true],
    ['a=1,b!=2', { a: '1', b: '2' }, false],
    ['a=x\\,y', { a: 'x,y' }, true],
    ['a=', { a: '' }, true],
    ['', {}, true],
  ])('%s on %j is %s', (text, fields, expected) => {
    expect(matchesFields(parseFieldSelector(text), fields as Record<string, string>)).toBe(expected)
  })

  it('refuses terms without an operator and values with stray signs', () => {
    expect(() => parseFieldSelector('a')).toThrow("invalid selector: 'a'; can't understand 'a'")
    expect(() => parseFieldSelector('a=b=c')).toThrow(/unescaped character in value: =/)
    expect(() => parseFieldSelector('a=\\x')).toThrow(/invalid escape sequence: \\x/)
  })

  it('refuses fields that cannot be selected', () => {
    const selector = parseFieldSelector('spec.secret=1')
    expect(() => matchesFields(selector, {})).toThrow('field label not supported: spec.secret')
    expect(() => matchesFields(parseFieldSelector('constructor=1'), {})).toThrow('field label not supported')
    expect(() => {
      requireSelectableFields(selector, ['metadata.name'])
    }).toThrow('field label not supported: spec.secret')
  })

  it('tells the value a field must have', () => {
    const selector = parseFieldSelector('metadata.name=a,b!=c')
    expect(requiredFieldValue(selector, 'metadata.name')).toBe('a')
    expect(requiredFieldValue(selector, 'b')).toBeUndefined()
    expect(formatFieldSelector(parseFieldSelector('a=x\\,y,b!=c'))).toBe('a=x\\,y,b!=c')
  })
})
