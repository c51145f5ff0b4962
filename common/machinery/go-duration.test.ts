import { expect, it } from 'vitest'
import { parseGoDuration } from './go-duration.ts'

it.each([
  ['0', 0],
  ['5s', 5000],
  ['1h30m', 5_400_000],
  ['1.5s', 1500],
  ['.5m', 30_000],
  ['-2ms', -2],
  ['1m0s', 60_000],
  ['', undefined],
  ['5', undefined],
  ['s', undefined],
  ['5 s', undefined],
  ['1d', undefined],
])('reads %j as %s ms', (text, ms) => {
  expect(parseGoDuration(text)).toBe(ms)
})
