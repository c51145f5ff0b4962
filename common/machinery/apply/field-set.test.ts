import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FieldSet } from './field-set.ts'
import { difference, emptySet, intersection, printPaths, recursiveDifference, setOfPath, union } from './field-set.ts'

const element = fc.constantFrom('f:a', 'f:b', 'v:"x"', 'k:{"name":"c"}')
const path = fc.array(element, { minLength: 1, maxLength: 4 })
const paths = fc.array(path, { maxLength: 8 })

const build = (list: readonly string[][]): FieldSet => list.map(setOfPath).reduce(union, emptySet)
const keys = (list: readonly string[][]): string[] => list.map((one) => one.join('/'))
const fromKeys = (set: Iterable<string>): FieldSet => build([...set].map((key) => key.split('/')))

describe('field sets agree with plain sets of paths', () => {
  it('in union, difference and intersection', () => {
    fc.assert(
      fc.property(paths, paths, (a, b) => {
        const left = keys(a)
        const right = keys(b)
        expect(union(build(a), build(b))).toEqual(fromKeys([...left, ...right]))
        expect(difference(build(a), build(b))).toEqual(fromKeys(left.filter((key) => !right.includes(key))))
        expect(intersection(build(a), build(b))).toEqual(fromKeys(left.filter((key) => right.includes(key))))
      }),
    )
  })

  it('in recursive difference', () => {
    fc.assert(
      fc.property(paths, paths, (a, b) => {
        const right = keys(b)
        const left = keys(a).filter((key) => !right.some((other) => key === other || key.startsWith(`${other}/`)))
        expect(recursiveDifference(build(a), build(b))).toEqual(fromKeys(left))
      }),
    )
  })

  it('without changing their arguments', () => {
    fc.assert(
      fc.property(paths, paths, (a, b) => {
        const left = build(a)
        const right = build(b)
        const before = JSON.stringify([left, right])
        union(left, right)
        difference(left, right)
        recursiveDifference(left, right)
        intersection(left, right)
        expect(JSON.stringify([left, right])).toBe(before)
      }),
    )
  })
})

it('prints paths as conflict messages do', () => {
  const set = build([
    ['f:spec', 'f:replicas'],
    ['f:spec', 'f:ports', 'k:{"containerPort":80,"protocol":"TCP"}', 'f:name'],
    ['f:metadata', 'f:finalizers', 'v:"x"'],
  ])
  expect(printPaths(set)).toEqual([
    '.metadata.finalizers[="x"]',
    '.spec.ports[containerPort=80,protocol="TCP"].name',
    '.spec.replicas',
  ])
})
