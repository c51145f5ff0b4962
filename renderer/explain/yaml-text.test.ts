import { describe, expect, it } from 'vitest'
import type { UnstructuredObject } from '../../common/machinery/meta.ts'
import { fieldPathParts, isSameButStatus, objectYaml, parseObjectYaml } from './yaml-text.ts'

describe('objectYaml', () => {
  it('puts known fields first and leaves bookkeeping out', () => {
    const text = objectYaml({
      kind: 'Pod',
      metadata: { uid: 'u', managedFields: [{ manager: 'x' }], name: 'a' },
      apiVersion: 'v1',
    })
    expect(text).toBe('apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  uid: u\n')
  })
})

describe('parseObjectYaml', () => {
  const text =
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n    - name: main\n      image: x\n'
  it('finds the line of a field, or of its nearest parent', () => {
    const parsed = parseObjectYaml(text)
    if (!parsed.ok) throw new Error('not parsed')
    expect(parsed.lineOf('spec.containers[0].image')).toBe(8)
    expect(parsed.lineOf('spec.containers[0].resources.limits')).toBe(7)
    expect(parsed.lineOf('spec.containers[3]')).toBe(6)
    expect(parsed.lineOf('nowhere')).toBeUndefined()
  })
  it('reports syntax errors with their line', () => {
    const parsed = parseObjectYaml('apiVersion: v1\nkind: [Pod\nmetadata: {}\n')
    expect(parsed.ok).toBe(false)
    if (!parsed.ok) expect(parsed.problems[0]?.line).toBeGreaterThanOrEqual(2)
  })
  it('asks for what makes an object', () => {
    expect(parseObjectYaml('- a\n').ok).toBe(false)
    expect(parseObjectYaml('kind: Pod\n').ok).toBe(false)
  })
})

it('reads field paths with indexes and keys', () => {
  expect(fieldPathParts('spec.containers[0].resources.limits[memory]')).toEqual([
    'spec',
    'containers',
    0,
    'resources',
    'limits',
    'memory',
  ])
})

it('tells a change of status from a change by someone', () => {
  const object = (version: string, spec: number, status: number): UnstructuredObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', resourceVersion: version },
    spec,
    status,
  })
  expect(isSameButStatus(object('1', 1, 1), object('2', 1, 2))).toBe(true)
  expect(isSameButStatus(object('1', 1, 1), object('2', 2, 1))).toBe(false)
})
