import { describe, expect, it } from 'vitest'
import { resources } from '../../common/api/generated/resources.ts'
import { builtinKinds } from './index.ts'

/** Kinds of other versions than v1 and v2 are not GA; reviews are answered where identities and permissions are known. */
const isGeneral = ({ group, version }: { group: string; version: string }): boolean =>
  /^v[12]$/.test(version) && group !== 'authentication.k8s.io' && group !== 'authorization.k8s.io'

describe('the list of kinds', () => {
  it('has every resource of Kubernetes that is generally available', () => {
    const served = new Set(builtinKinds.map(({ group, version, plural }) => `${group}/${version}/${plural}`))
    const wanted = Object.values(resources).filter(isGeneral)
    const missing = wanted.map(({ group, version, plural }) => `${group}/${version}/${plural}`)
    expect(missing.filter((name) => !served.has(name))).toEqual([])
  })

  it('names every resource once', () => {
    const names = builtinKinds.map(({ group, version, plural }) => `${group}/${version}/${plural}`)
    expect(names.filter((name, index) => names.indexOf(name) < index)).toEqual([])
  })

  it('gives a short name to one resource of a group only', () => {
    const names = builtinKinds.flatMap(({ group, plural, shortNames = [] }) =>
      shortNames.map((name) => `${group} ${name}=${plural}`),
    )
    const owners = Map.groupBy(new Set(names), (name) => name.split('=')[0])
    expect([...owners.values()].filter((resources) => resources.length > 1)).toEqual([])
  })

  it.each(
    builtinKinds
      .filter(({ schema }) => typeof schema === 'string')
      .map((kind) => ({ name: `${kind.group} ${kind.kind}`, kind })),
  )('serves the parts of $name that Kubernetes serves', ({ kind }) => {
    const fact = Object.values(resources).find(
      ({ group, version, plural }) => group === kind.group && version === kind.version && plural === kind.plural,
    )
    const wanted = Object.keys(fact?.subresources ?? {})
    expect({ status: kind.status !== undefined, scale: kind.scale !== undefined }).toEqual({
      status: wanted.includes('status'),
      scale: wanted.includes('scale'),
    })
  })
})
