import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Facts } from '../../api/facts.ts'
import type { JsonObject } from '../json.ts'
import { applyStrategicMergePatch } from './strategic-merge-patch.ts'

const { definitions } = JSON.parse(
  readFileSync(new URL('../../api/generated/facts.json', import.meta.url), 'utf8'),
) as unknown as Facts

const pod = {
  metadata: { labels: { a: '1' }, finalizers: ['x', 'y'] },
  spec: {
    volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }],
    containers: [{ name: 'a', image: '1' }, { name: 'b', image: '2', args: ['p', 'q'] }, { name: 'c' }],
    tolerations: [{ key: 'k' }],
  },
}

const merge = (patch: unknown, definition = 'io.k8s.api.core.v1.Pod', document: JsonObject = pod): JsonObject =>
  applyStrategicMergePatch({ definitions, definition, document, patch })
const spec = (patch: unknown): unknown => merge({ spec: patch })['spec']
const names = (patch: unknown): unknown[] =>
  (spec(patch) as { containers: { name: string }[] }).containers.map(({ name }) => name)

describe('strategic merge patch', () => {
  it('merges list items by their key and replaces lists inside that do not merge', () => {
    expect(spec({ containers: [{ name: 'b', image: '9', args: ['z'] }] })).toEqual({
      ...pod.spec,
      containers: [pod.spec.containers[0], { name: 'b', image: '9', args: ['z'] }, { name: 'c' }],
    })
  })

  it('adds new items before those of the live list that follow nothing of the patch', () => {
    expect(names({ containers: [{ name: 'z' }] })).toEqual(['z', 'a', 'b', 'c'])
    expect(names({ containers: [{ name: 'b' }, { name: 'z' }] })).toEqual(['a', 'b', 'z', 'c'])
  })

  it('deletes and replaces by directive', () => {
    expect(names({ containers: [{ name: 'b', $patch: 'delete' }] })).toEqual(['a', 'c'])
    expect(names({ containers: [{ $patch: 'replace' }, { name: 'z' }] })).toEqual(['z'])
    expect(merge({ metadata: { labels: { $patch: 'replace', b: '2' } } })['metadata']).toEqual({
      ...pod.metadata,
      labels: { b: '2' },
    })
    expect(merge({ metadata: { labels: { $patch: 'delete' } } })['metadata']).toEqual({ ...pod.metadata, labels: {} })
  })

  it('orders by $setElementOrder, what it does not name staying where it was', () => {
    const order = (...wanted: string[]): { name: string }[] => wanted.map((name) => ({ name }))
    expect(names({ '$setElementOrder/containers': order('c', 'a') })).toEqual(['b', 'c', 'a'])
    expect(names({ '$setElementOrder/containers': order('c', 'z', 'a'), containers: [{ name: 'z' }] })).toEqual([
      'b',
      'c',
      'z',
      'a',
    ])
    const notNamed = { '$setElementOrder/containers': order('a'), containers: [{ name: 'z' }] }
    expect(() => spec(notNamed)).toThrow(/doesn't match \$setElementOrder list/)
  })

  it('merges lists of scalars as sets and deletes from them', () => {
    expect(merge({ metadata: { finalizers: ['z', 'y'] } })['metadata']).toMatchObject({ finalizers: ['z', 'x', 'y'] })
    expect(
      merge({ metadata: { '$deleteFromPrimitiveList/finalizers': ['x'], finalizers: ['z'] } })['metadata'],
    ).toMatchObject({ finalizers: ['z', 'y'] })
  })

  it('clears other keys with $retainKeys', () => {
    const volume = { name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }
    expect(spec({ volumes: [volume] })).toMatchObject({ volumes: [{ name: 'v', hostPath: { path: '/x' } }] })
    expect((spec({ volumes: [volume] }) as typeof pod.spec).volumes[0]).not.toHaveProperty('emptyDir')
    const wrong = { volumes: [{ name: 'v', $retainKeys: ['name'], hostPath: {} }] }
    expect(() => spec(wrong)).toThrow(expect.objectContaining({ code: 422 }))
    const recreate = merge(
      { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
      'io.k8s.api.apps.v1.Deployment',
      { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } },
    )
    expect(recreate).toEqual({ spec: { strategy: { type: 'Recreate' } } })
  })

  it('replaces atomic lists, drops nulls and directives in what is new', () => {
    expect(spec({ tolerations: [{ key: 'z' }] })).toMatchObject({ tolerations: [{ key: 'z' }] })
    expect(spec({ securityContext: { runAsUser: null, sysctls: [{ name: 's' }] } })).toMatchObject({
      securityContext: { sysctls: [{ name: 's' }] },
    })
    expect(spec({ containers: null })).not.toHaveProperty('containers')
  })

  it.each([
    [{ spec: { containers: [{ image: 'x' }] } }, /does not contain declared merge key: name/],
    [{ spec: { containers: [[]] } }, expect.objectContaining({ code: 422 })],
    [{ spec: { containers: ['x'] } }, /list element types are not identical/],
    [{ spec: { $patch: 'explode' } }, /unknown patch type: "explode"/],
    [{ spec: { '$setElementOrder/containers': 'a' } }, /setElementOrder list/],
    [{ metadata: { '$deleteFromPrimitiveList/finalizers': 'x' } }, /invalid patch format of primitive list/],
    [[], /invalid JSON document/],
  ])('refuses %j', (patch, expected) => {
    expect(() => merge(patch)).toThrow(expected as RegExp)
  })

  it('leaves its input alone', () => {
    const patch = { spec: { containers: [{ name: 'a', image: '3', env: [{ name: 'E', value: '1' }] }] } }
    const before = JSON.stringify([pod, patch])
    merge(patch)
    expect(JSON.stringify([pod, patch])).toBe(before)
  })
})
