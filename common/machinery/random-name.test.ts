import { expect, it } from 'vitest'
import { generateName, randomSuffix, safeEncode } from './random-name.ts'

it('makes suffixes of the safe alphabet', () => {
  expect(randomSuffix()).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{5}$/)
})

it('uses the bytes it is given, and throws away those that would favour some letters', () => {
  const bytes = [255, 0, 26, 27, 243, 1, 2]
  let at = 0
  const random = (length: number): Uint8Array => Uint8Array.from({ length }, () => bytes[at++ % bytes.length] as number)
  expect(randomSuffix(random)).toBe('b9bcd')
})

it('keeps generated names within a label', () => {
  const name = generateName('x'.repeat(100), (length) => new Uint8Array(length))
  expect(name).toBe(`${'x'.repeat(58)}bbbbb`)
})

it('encodes text in the safe alphabet', () => {
  expect(safeEncode('aeiou')).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{5}$/)
})
