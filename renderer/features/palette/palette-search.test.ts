import { expect, it } from 'vitest'
import { rank } from './palette-search.ts'

const items = ['web deployment default', 'web-75c4 pod default', 'my-web service shop', 'cobweb pod shop'].map(
  (text) => ({ text, weight: 0 }),
)
const found = (query: string): string[] => rank(items, query, 10).map((item) => item.text)

it('prefers names that begin with, then words that begin with, then anything', () => {
  expect(found('web')).toEqual([
    'web deployment default',
    'web-75c4 pod default',
    'my-web service shop',
    'cobweb pod shop',
  ])
})
it('needs every word', () => {
  expect(found('web shop')).toEqual(['my-web service shop', 'cobweb pod shop'])
  expect(found('web nowhere')).toEqual([])
})
