import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../common/machinery/meta.ts'
import { ownerTree, type OwnerNode } from './owner-tree.ts'

const object = (kind: string, name: string, owner?: string): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: {
    name,
    uid: name,
    namespace: 'default',
    ...(owner === undefined
      ? {}
      : { ownerReferences: [{ apiVersion: 'v1', kind: 'Owner', name: owner, uid: owner, controller: true }] }),
  },
})
const outline = (node: OwnerNode): unknown =>
  node.children.length === 0 ? node.name : { [node.name]: node.children.map(outline) }

describe('ownerTree', () => {
  const deployment = object('Deployment', 'web')
  const set = object('ReplicaSet', 'web-1', 'web')
  const podA = object('Pod', 'web-1-a', 'web-1')
  const podB = object('Pod', 'web-1-b', 'web-1')
  const all = [deployment, set, podA, podB, object('Pod', 'lonely')]

  it('is the same whole tree from any of its objects', () => {
    const expected = { web: [{ 'web-1': ['web-1-a', 'web-1-b'] }] }
    for (const start of [deployment, set, podA]) expect(outline(ownerTree(start, all))).toEqual(expected)
  })
  it('shows an owner that is gone as a node without an object', () => {
    const tree = ownerTree(podA, [podA])
    expect(outline(tree)).toEqual({ 'web-1': ['web-1-a'] })
    expect(tree.object).toBeUndefined()
  })
  it('survives a cycle', () => {
    const a = object('A', 'a', 'b')
    const b = object('B', 'b', 'a')
    expect(outline(ownerTree(a, [a, b]))).toEqual({ b: ['a'] })
  })
  it('is one node for an object that nobody owns', () => {
    expect(outline(ownerTree(object('Pod', 'x'), all))).toBe('x')
  })
})
