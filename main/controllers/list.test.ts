import { describe, expect, it } from 'vitest'
import type { ControllerEntry } from './list.ts'
import { controllerList, selectControllers } from './list.ts'

const create = (): never => {
  throw new Error('only names are asked for here')
}
const list: ControllerEntry[] = [
  { name: 'deployment-controller', alias: 'deployment', onByDefault: true, create },
  { name: 'job-controller', alias: 'job', onByDefault: true, create },
  { name: 'token-cleaner-controller', alias: 'tokencleaner', onByDefault: false, create },
]
const names = (wanted?: string[]): string[] => selectControllers(wanted, list).map(({ name }) => name)

describe('which controllers run', () => {
  it.each<[string[] | undefined, string[]]>([
    [undefined, ['deployment-controller', 'job-controller']],
    [['*'], ['deployment-controller', 'job-controller']],
    [['*', '-job-controller'], ['deployment-controller']],
    [
      ['*', 'tokencleaner'],
      ['deployment-controller', 'job-controller', 'token-cleaner-controller'],
    ],
    [['job'], ['job-controller']],
    [['-job', 'job-controller', '*'], ['deployment-controller']],
    [
      ['*', '-cloud-node-lifecycle', '-service-lb-controller'],
      ['deployment-controller', 'job-controller'],
    ],
    [[], []],
  ])('%j: %j', (wanted, expected) => {
    expect(names(wanted)).toEqual(expected)
  })

  it('does not know every name', () => {
    expect(() => names(['*', '-no-such'])).toThrow('"no-such" is not in the list of known controllers')
    expect(() => names(['service-lb-controller'])).toThrow('"service-lb-controller" is not in the list')
  })

  it('has each name once', () => {
    const all = controllerList.flatMap(({ name, alias = name }) => [...new Set([name, alias])])
    expect(new Set(all).size).toBe(all.length)
  })
})
