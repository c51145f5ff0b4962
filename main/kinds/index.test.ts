import { describe, expect, it } from 'vitest'
import { resources } from '../../common/api/generated/resources.ts'
import { builtinKinds } from './index.ts'

const spine =
  'Namespace Node Pod Service Endpoints EndpointSlice ConfigMap Secret ServiceAccount Event Lease Deployment ReplicaSet DaemonSet Job ControllerRevision Role ClusterRole RoleBinding ClusterRoleBinding CustomResourceDefinition PodTemplate LimitRange ResourceQuota PriorityClass Lab Machine Image SchedulingDecision'

describe('the list of kinds', () => {
  it('has what the product stands on', () => {
    const kinds = new Set(builtinKinds.map(({ kind }) => kind))
    expect(spine.split(' ').filter((kind) => !kinds.has(kind))).toEqual([])
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
