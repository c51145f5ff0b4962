import { describe, expect, it } from 'vitest'
import { formatAge, formatHumanDuration } from './duration.ts'

const s = 1000
const m = 60 * s
const h = 60 * m
const d = 24 * h

describe('formatHumanDuration', () => {
  it.each([
    [-2 * s, '<invalid>'],
    [-1 * s, '0s'],
    [0, '0s'],
    [119 * s, '119s'],
    [2 * m, '2m'],
    [3 * m + 20 * s, '3m20s'],
    [10 * m + 30 * s, '10m'],
    [179 * m, '179m'],
    [3 * h, '3h'],
    [7 * h + 5 * m, '7h5m'],
    [47 * h, '47h'],
    [2 * d, '2d'],
    [2 * d + 3 * h, '2d3h'],
    [8 * d + 3 * h, '8d'],
    [729 * d, '729d'],
    [2 * 365 * d, '2y'],
    [2 * 365 * d + 9 * d, '2y9d'],
    [8 * 365 * d + 9 * d, '8y'],
  ])('%d ms is %s', (ms, expected) => {
    expect(formatHumanDuration(ms)).toBe(expected)
  })
})

it('prints ages', () => {
  expect(formatAge('2020-01-01T00:00:00Z', Date.parse('2020-01-01T00:05:00Z'))).toBe('5m')
  expect(formatAge(undefined, 0)).toBe('<unknown>')
})
