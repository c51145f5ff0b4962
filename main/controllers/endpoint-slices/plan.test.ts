import { describe, expect, it } from 'vitest'
import type { EndpointSlice, Node, Pod, Service } from '../../../common/api/generated/types.ts'
import { planSlices } from './plan.ts'

const service = (change: Partial<NonNullable<Service['spec']>> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default', uid: 'svc', labels: { team: 'a' } },
  spec: {
    clusterIP: '10.96.0.9',
    selector: { app: 'web' },
    ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }],
    ...change,
  },
})
const pod = (n: number, change: { ready?: boolean; ending?: boolean; phase?: string; port?: number } = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: `web-${String(n)}`,
    namespace: 'default',
    uid: `u${String(n)}`,
    ...(change.ending === true ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
  },
  spec: {
    nodeName: 'node-1',
    containers: [{ name: 'main', ports: [{ name: 'http', containerPort: change.port ?? 8080 }] }],
  },
  status: {
    phase: change.phase ?? 'Running',
    podIP: `10.244.0.${String(n)}`,
    conditions: [{ type: 'Ready', status: change.ready === false ? 'False' : 'True' }],
  },
})
const plan = (to: Service, pods: Pod[], slices: EndpointSlice[] = []) => planSlices(to, pods, slices, nodeOf)
const zoned: Node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'node-1', labels: { 'topology.kubernetes.io/zone': 'a' } },
}
const nodeOf = (name: string): Node | undefined => (name === 'node-1' ? zoned : undefined)
const nothing = { create: [], update: [], delete: [], homeless: [] }
const stored = (slices: readonly EndpointSlice[]): EndpointSlice[] =>
  slices.map((slice, i) => ({
    ...slice,
    metadata: { ...slice.metadata, name: `web-${String(i)}`, uid: `s${String(i)}` },
  }))

describe('endpoint slices', () => {
  it.each([
    [{}, { ready: true, serving: true, terminating: false }],
    [{ ready: false }, { ready: false, serving: false, terminating: false }],
    [{ ending: true }, { ready: false, serving: true, terminating: true }],
  ])('conditions of a pod that is %o', (state, conditions) => {
    expect(plan(service(), [pod(1, state)]).create[0]?.endpoints?.[0]?.conditions).toEqual(conditions)
  })
  it('resolves named ports per pod, so that different numbers give different slices', () => {
    const { create } = plan(service(), [pod(1), pod(2, { port: 9090 })])
    expect(create.map(({ ports }) => ports?.[0]?.port).sort()).toEqual([8080, 9090])
    expect(create[0]?.metadata.labels).toMatchObject({ 'kubernetes.io/service-name': 'web', team: 'a' })
  })
  it('has an empty slice for nobody, and drops finished pods', () => {
    const { create } = plan(service(), [pod(1, { phase: 'Succeeded' })])
    expect(create).toHaveLength(1)
    expect(create[0]?.endpoints).toEqual([])
  })
  it('leaves the empty slice of nobody as it is, and empties the last one when its pods go', () => {
    const nobody = stored(plan(service(), []).create)
    expect(plan(service(), [], nobody)).toEqual(nothing)
    const full = stored(plan(service(), [pod(1)]).create)
    const emptied = plan(service(), [], full)
    expect(emptied).toMatchObject({ create: [], delete: [], update: [{ metadata: { name: 'web-0' }, endpoints: [] }] })
    expect(plan(service(), [], emptied.update)).toEqual(nothing)
  })
  it('publishes pods that are not ready when asked to', () => {
    const { create } = plan(service({ publishNotReadyAddresses: true }), [pod(1, { ready: false })])
    expect(create[0]?.endpoints?.[0]?.conditions).toMatchObject({ ready: true, serving: false })
  })
  it('writes nothing when nothing changed, and only the slice that did', () => {
    const many = Array.from({ length: 150 }, (_, i) => pod(i))
    const slices = stored(plan(service(), many).create)
    expect(slices.map(({ endpoints }) => endpoints?.length)).toEqual([100, 50])
    expect(plan(service(), many, slices)).toEqual(nothing)
    const changed = plan(service(), [...many.slice(1), pod(200)], slices)
    expect(changed.create).toEqual([])
    expect(changed.update.length).toBeLessThanOrEqual(2)
    expect(
      changed.update
        .flatMap(({ endpoints }) => endpoints ?? [])
        .some(({ addresses }) => addresses[0] === '10.244.0.200'),
    ).toBe(true)
  })
  it('labels the slices of a headless service', () => {
    expect(plan(service({ clusterIP: 'None', ports: [] }), [pod(1)]).create[0]?.metadata.labels).toHaveProperty(
      ['service.kubernetes.io/headless'],
      '',
    )
  })

  it('has slices of each family of the service', () => {
    const both = pod(1)
    both.status = { ...both.status, podIPs: [{ ip: '10.244.0.1' }, { ip: 'fd00::1' }] }
    const dual = service({ ipFamilies: ['IPv6', 'IPv4'] })
    const { create } = plan(dual, [both])
    expect(create.map(({ addressType, endpoints }) => [addressType, endpoints?.[0]?.addresses])).toEqual([
      ['IPv6', ['fd00::1']],
      ['IPv4', ['10.244.0.1']],
    ])
    const six = plan(service({ ipFamilies: ['IPv6'] }), [pod(2)]).create
    expect(six).toMatchObject([{ addressType: 'IPv6', endpoints: [], ports: [] }])
    expect(plan(service({ ipFamilies: ['IPv6'] }), [both], stored(create)).delete).toMatchObject([
      { addressType: 'IPv4' },
    ])
  })

  it('waits for the node of a pod, unless all are published', () => {
    const lost = pod(1)
    lost.spec = { ...lost.spec, containers: lost.spec?.containers ?? [], nodeName: 'elsewhere' }
    expect(plan(service(), [lost])).toMatchObject({ create: [{ endpoints: [] }], homeless: [lost] })
    expect(plan(service({ publishNotReadyAddresses: true }), [lost])).toMatchObject({
      create: [{ endpoints: [{ nodeName: 'elsewhere' }] }],
      homeless: [],
    })
  })

  it.each([
    [undefined, undefined],
    ['PreferClose', { forZones: [{ name: 'a' }] }],
    ['PreferSameZone', { forZones: [{ name: 'a' }] }],
    ['PreferSameNode', { forZones: [{ name: 'a' }], forNodes: [{ name: 'node-1' }] }],
  ])('hints of %s', (trafficDistribution, hints) => {
    const { create } = plan(service(trafficDistribution === undefined ? {} : { trafficDistribution }), [
      pod(1),
      pod(2, { ready: false }),
    ])
    expect(create[0]?.endpoints?.map((endpoint) => endpoint.hints)).toEqual([hints, undefined])
  })
})
