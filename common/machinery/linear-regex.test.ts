import { expect, test } from 'vitest'
import { findMatches, linearRegex, RegexError } from './linear-regex.ts'

test('reads the syntax of RE2', () => {
  expect(linearRegex('(?i)^ab$').test('AB')).toBe(true)
  expect(linearRegex('\\pL+').test('é')).toBe(true)
  expect(() => linearRegex('a(?=b)')).toThrow(RegexError)
})

test('a pattern that takes a backtracking engine for ever is answered', () => {
  expect(linearRegex('^(a+)+$').test(`${'a'.repeat(50_000)}!`)).toBe(false)
})

test('finds as many matches as asked for', () => {
  expect(findMatches(linearRegex('[0-9]+'), 'a1 b22 c333', 2)).toEqual(['1', '22'])
  expect(findMatches(linearRegex('[0-9]+'), 'a1 b22 c333', -1)).toEqual(['1', '22', '333'])
  expect(findMatches(linearRegex('[0-9]+'), 'a1', 0)).toEqual([])
})
