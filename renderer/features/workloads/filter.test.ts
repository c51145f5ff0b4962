import { expect, it } from 'vitest'
import { filterObjects } from './filter.ts'

const object = (name: string, namespace: string, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, labels },
})
const objects = [object('web-1', 'default', { app: 'web' }), object('cart', 'shop', { app: 'cart' })]
const names = (text: string, namespace = ''): (string | undefined)[] =>
  filterObjects(objects, [], { namespace, text }).map((one) => one.metadata.name)

it('filters by words, labels and namespace', () => {
  expect(names('')).toEqual(['web-1', 'cart'])
  expect(names('WEB')).toEqual(['web-1'])
  expect(names('app=cart')).toEqual(['cart'])
  expect(names('', 'shop')).toEqual(['cart'])
  expect(names('web', 'shop')).toEqual([])
})
