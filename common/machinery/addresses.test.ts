import { describe, expect, it } from 'vitest'
import { addressToNumber, familyOf, numberToAddress, overlap, rangeOf } from './addresses.ts'

describe('addresses as numbers', () => {
  it.each([
    ['10.96.0.1', '10.96.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['fd00:0010:0096::a', 'fd00:10:96::a'],
    ['1:2:3:4:5:6:7:0', '1:2:3:4:5:6:7:0'],
    ['1:2:3:4:5:6:0:0', '1:2:3:4:5:6::'],
    ['::ffff:0a00:0001', '::ffff:10.0.0.1'],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
  ])('%s is written %s', (address, canonical) => {
    expect(numberToAddress(addressToNumber(address), familyOf(address))).toBe(canonical)
  })

  it('ranges begin where their bits say, and overlap within a family', () => {
    const range = rangeOf('10.0.5.7/16')
    expect([numberToAddress(range.first, 'IPv4'), range.size]).toEqual(['10.0.0.0', 65_536n])
    expect(rangeOf('fd00::1/64').size).toBe(1n << 64n)
    expect(overlap(range, rangeOf('10.0.255.0/24'))).toBe(true)
    expect(overlap(range, rangeOf('10.1.0.0/24'))).toBe(false)
    expect(overlap(range, rangeOf('::/0'))).toBe(false)
  })
})
