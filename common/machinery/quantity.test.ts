import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  isQuantity,
  parseQuantity,
  quantityFromBytes,
  quantityFromMillis,
  quantityToBytes,
  quantityToMillis,
  subtractQuantities,
} from './quantity.ts'

describe('canonical form', () => {
  it.each([
    ['0', '0'],
    ['0Ki', '0'],
    ['1', '1'],
    ['+5', '5'],
    ['1000m', '1'],
    ['0.5', '500m'],
    ['.5', '500m'],
    ['5.', '5'],
    ['1.5', '1500m'],
    ['-1.5', '-1500m'],
    ['100000', '100k'],
    ['1500', '1500'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['1.5Ki', '1536'],
    ['0.5Ki', '512'],
    ['1.1Ki', '1126400m'],
    ['0.5Mi', '512Ki'],
    ['12e6', '12e6'],
    ['1200e3', '1200e3'],
    ['1e3', '1e3'],
    ['1E3', '1e3'],
    ['1E', '1E'],
    ['0.1n', '1n'],
    ['0.0000000001', '1n'],
    ['0.0001', '100u'],
    ['9223372036854775808', '9223372036854775807'],
    ['1e1000000000', '9223372036854775807e0'.replace('e0', '')],
  ])('%s is %s', (input, expected) => {
    expect(canonicalQuantity(input)).toBe(expected)
  })

  it('takes numbers as JSON clients send them', () => {
    expect(canonicalQuantity(2)).toBe('2')
    expect(canonicalQuantity(0.25)).toBe('250m')
  })

  it.each([
    ['', /must match the regular expression/],
    ['abc', /must match the regular expression/],
    ['1 Gi', /must match the regular expression/],
    ['1.2.3', /unable to parse numeric part of quantity/],
    ['.', /unable to parse numeric part of quantity/],
    ['1e', /unable to parse quantity's suffix/],
    ['1Kii', /unable to parse quantity's suffix/],
    ['1Ki5', /unable to parse quantity's suffix/],
  ])('refuses %j', (input, message) => {
    expect(() => parseQuantity(input)).toThrow(message)
    expect(isQuantity(input)).toBe(false)
  })
})

describe('arithmetic', () => {
  it('compares values, not texts', () => {
    expect(compareQuantities('1000m', '1')).toBe(0)
    expect(compareQuantities('1Gi', '1G')).toBe(1)
    expect(compareQuantities('-1', '0')).toBe(-1)
  })

  it('adds and subtracts exactly', () => {
    expect(formatQuantity(addQuantities('0.1', '0.2'))).toBe('300m')
    expect(formatQuantity(addQuantities('0', '1Gi'))).toBe('1Gi')
    expect(formatQuantity(subtractQuantities('1Gi', '512Mi'))).toBe('512Mi')
  })

  it('rounds up to millis and bytes', () => {
    expect(quantityToMillis('0.0001')).toBe(1)
    expect(quantityToMillis('2')).toBe(2000)
    expect(quantityToBytes('1.1Ki')).toBe(1127)
    expect(quantityToBytes('128Mi')).toBe(134_217_728)
    expect(formatQuantity(quantityFromMillis(1500))).toBe('1500m')
    expect(formatQuantity(quantityFromBytes(2048))).toBe('2Ki')
  })
})

const suffix = fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3', 'e-2')
const quantity = fc
  .tuple(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.option(fc.nat(999)), suffix)
  .map(([whole, fraction, unit]) => `${String(whole)}${fraction === null ? '' : `.${String(fraction)}`}${unit}`)

describe('for all quantities', () => {
  it('the canonical form has the same value and is its own canonical form', () => {
    fc.assert(
      fc.property(quantity, (text) => {
        const canonical = canonicalQuantity(text)
        expect(compareQuantities(canonical, text)).toBe(0)
        expect(canonicalQuantity(canonical)).toBe(canonical)
        expect(canonical).not.toContain('.')
      }),
    )
  })

  it('what is added can be taken away again', () => {
    fc.assert(
      fc.property(quantity, quantity, (a, b) => {
        expect(compareQuantities(subtractQuantities(addQuantities(a, b), b), a)).toBe(0)
      }),
    )
  })
})
