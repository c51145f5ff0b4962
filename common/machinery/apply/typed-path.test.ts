import { expect, it } from 'vitest'
import type { Definitions } from '../schema/definitions.ts'
import { typedPath } from './typed-path.ts'

const definitions: Definitions = {
  Pod: { fields: { spec: { type: { ref: 'Spec' } } } },
  Spec: {
    fields: {
      containers: { type: { array: { ref: 'Container' } }, listType: 'map', listMapKeys: ['name'] },
      args: { type: { array: 'string' }, listType: 'atomic' },
    },
  },
  Container: { fields: { name: { type: 'string' }, limits: { type: { map: { ref: 'Limit' } } } } },
  Limit: { fields: { value: { type: 'string' } } },
}

it.each([
  ['spec.unknown', '.spec.unknown'],
  ['spec.containers[1].unknown', '.spec.containers[name="b"].unknown'],
  ['spec.containers[1].limits.cpu.unknown', '.spec.containers[name="b"].limits.cpu.unknown'],
  ['spec.args[0].unknown', '.spec.args[0].unknown'],
])('%s is %s', (path, expected) => {
  const value = { spec: { containers: [{ name: 'a' }, { name: 'b', limits: { cpu: {} } }], args: [{}] } }
  expect(typedPath(definitions, 'Pod', value, path)).toBe(expected)
})
