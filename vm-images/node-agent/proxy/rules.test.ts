import { describe, expect, it } from 'vitest'
import type { EndpointSlice, Service } from '../../../common/api/generated/types.ts'
import { compileRules, type Ruleset } from './rules.ts'
import { emptyRuleset, fullScript, updateScript } from './script.ts'

const service = (name: string, spec: Partial<NonNullable<Service['spec']>> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'default', name },
  spec: { clusterIP: '10.96.0.5', ports: [{ name: 'http', port: 80, protocol: 'TCP' }], ...spec },
})
interface End {
  ip: string
  node?: string
  conditions?: NonNullable<NonNullable<EndpointSlice['endpoints']>[number]['conditions']>
}
const slice = (name: string, ends: End[]): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { namespace: 'default', name: `${name}-x`, labels: { 'kubernetes.io/service-name': name } },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints: ends.map(({ ip, node = 'a', conditions = { ready: true } }) => ({
    addresses: [ip],
    nodeName: node,
    conditions,
  })),
})
const compile = (services: Service[], slices: EndpointSlice[]): Ruleset =>
  compileRules({ services, slices, hostPorts: [], nodeName: 'a', skipAddresses: new Set(['10.96.0.1']) })
/** Targets that a map entry leads to, through all chains. */
function targets(rules: Ruleset, verdict: string | undefined): string[] {
  const chain = /goto (\S+)/.exec(verdict ?? '')?.[1]
  const body = rules.chains.get(chain ?? '') ?? []
  return body.flatMap((rule) => {
    const dnat = /dnat to (\S+)/.exec(rule)?.[1]
    if (dnat !== undefined) return [dnat]
    return [...rule.matchAll(/goto ([^,\s}]+)/g)].flatMap(([, next]) => targets(rules, `goto ${next ?? ''}`))
  })
}

describe('cluster addresses', () => {
  it('lead to every ready endpoint', () => {
    const rules = compile(
      [service('web')],
      [
        slice('web', [
          { ip: '10.1.0.2', node: 'b' },
          { ip: '10.1.0.1' },
          { ip: '10.1.0.3', conditions: { ready: false } },
        ]),
      ],
    )
    expect(targets(rules, rules.maps['service-ips'].get('10.96.0.5 . tcp . 80'))).toEqual([
      '10.1.0.1:8080',
      '10.1.0.2:8080',
    ])
  })

  it('are refused without endpoints', () => {
    const rules = compile([service('web')], [])
    expect(rules.maps['no-endpoint-services'].get('10.96.0.5 . tcp . 80')).toBe('goto refuse')
    expect(rules.maps['service-ips'].size).toBe(0)
  })

  it('fall back to endpoints that terminate but still serve', () => {
    const rules = compile(
      [service('web')],
      [slice('web', [{ ip: '10.1.0.1', conditions: { ready: false, serving: true, terminating: true } }])],
    )
    expect(targets(rules, rules.maps['service-ips'].get('10.96.0.5 . tcp . 80'))).toEqual(['10.1.0.1:8080'])
  })

  it('with internal policy Local stay on this node, or are dropped', () => {
    const local = service('web', { internalTrafficPolicy: 'Local' })
    const both = compile([local], [slice('web', [{ ip: '10.1.0.1' }, { ip: '10.1.0.2', node: 'b' }])])
    expect(targets(both, both.maps['service-ips'].get('10.96.0.5 . tcp . 80'))).toEqual(['10.1.0.1:8080'])
    const elsewhere = compile([local], [slice('web', [{ ip: '10.1.0.2', node: 'b' }])])
    expect(elsewhere.maps['no-endpoint-services'].get('10.96.0.5 . tcp . 80')).toBe('drop')
  })

  it('of headless, external and own services are left out', () => {
    const rules = compile(
      [
        service('a', { clusterIP: 'None' }),
        service('b', { clusterIP: '', type: 'ExternalName' }),
        service('c', { clusterIP: '10.96.0.1' }),
      ],
      [],
    )
    expect(rules).toEqual(compile([], []))
  })
})

describe('node ports', () => {
  const nodePort = (part: Partial<NonNullable<Service['spec']>> = {}): Service =>
    service('web', { ports: [{ name: 'http', port: 80, nodePort: 30_080 }], ...part })
  const ends = [{ ip: '10.1.0.1' }, { ip: '10.1.0.2', node: 'b' }]

  it('masquerade, so that answers find their way back', () => {
    const rules = compile([nodePort()], [slice('web', ends)])
    const verdict = rules.maps['service-nodeports'].get('tcp . 30080')
    expect(rules.chains.get(verdict?.slice('goto '.length) ?? '')?.[0]).toBe('jump mark-for-masquerade')
    expect(targets(rules, verdict)).toEqual(['10.1.0.1:8080', '10.1.0.2:8080'])
  })

  it('with external policy Local keep the source and use local endpoints only', () => {
    const rules = compile([nodePort({ externalTrafficPolicy: 'Local' })], [slice('web', ends)])
    const verdict = rules.maps['service-nodeports'].get('tcp . 30080')
    expect(targets(rules, verdict)).toEqual(['10.1.0.1:8080'])
    expect(rules.chains.get(verdict?.slice('goto '.length) ?? '')).not.toContain('jump mark-for-masquerade')
    const none = compile(
      [nodePort({ externalTrafficPolicy: 'Local' })],
      [slice('web', [{ ip: '10.1.0.2', node: 'b' }])],
    )
    expect(none.maps['no-endpoint-nodeports'].get('tcp . 30080')).toBe('drop')
  })
})

it('host ports lead to the pod, on every address or on one', () => {
  const port = { hostPort: 8080, protocol: 'tcp', podIP: '10.1.0.1', containerPort: 80 } as const
  const of = (hostIP: string): Ruleset =>
    compileRules({
      services: [],
      slices: [],
      hostPorts: [{ ...port, hostIP }],
      nodeName: 'a',
      skipAddresses: new Set(),
    })
  const everywhere = of('')
  expect(targets(everywhere, everywhere.maps['service-nodeports'].get('tcp . 8080'))).toEqual(['10.1.0.1:80'])
  const one = of('10.77.0.11')
  expect(targets(one, one.maps['service-ips'].get('10.77.0.11 . tcp . 8080'))).toEqual(['10.1.0.1:80'])
})

it('session affinity remembers the endpoint of a client', () => {
  const rules = compile([service('web', { sessionAffinity: 'ClientIP' })], [slice('web', [{ ip: '10.1.0.1' }])])
  expect([...rules.affinities.values()]).toEqual([10_800])
  const chain =
    rules.chains.get((rules.maps['service-ips'].get('10.96.0.5 . tcp . 80') ?? '').slice('goto '.length)) ?? []
  expect(chain[0]).toMatch(/^ip saddr @aff-\S+ goto ep-/)
})

it('a pod that reaches itself through its service is masqueraded', () => {
  const rules = compile([service('web')], [slice('web', [{ ip: '10.1.0.1' }])])
  const endpoint = [...rules.chains].find(([name]) => name.startsWith('ep-'))?.[1] ?? []
  expect(endpoint[0]).toBe('ip saddr 10.1.0.1 jump mark-for-masquerade')
})

describe('scripts', () => {
  const one = compile([service('web')], [slice('web', [{ ip: '10.1.0.1' }])])
  const two = compile([service('web')], [slice('web', [{ ip: '10.1.0.1' }, { ip: '10.1.0.2' }])])

  it('are empty when nothing changed', () => {
    expect(updateScript(one, compile([service('web')], [slice('web', [{ ip: '10.1.0.1' }])]))).toBe('')
  })

  it('touch only what changed', () => {
    const script = updateScript(one, two)
    expect(script).toContain('10.1.0.2')
    expect(script).not.toContain('dnat to 10.1.0.1')
    expect(script).not.toContain('element')
  })

  it('remove references before what they refer to', () => {
    const lines = updateScript(two, emptyRuleset).trim().split('\n')
    const lastElement = lines.findLastIndex((line) => line.startsWith('delete element'))
    const lastFlush = lines.findLastIndex((line) => line.startsWith('flush chain'))
    const firstDelete = lines.findIndex((line) => line.startsWith('delete chain'))
    expect(lastElement).toBeLessThan(firstDelete)
    expect(lastFlush).toBeLessThan(firstDelete)
  })

  it('load the whole table in one transaction', () => {
    expect(
      fullScript(one, { serviceCIDR: '10.96.0.0/16', skipAddresses: new Set(['10.96.0.1']) })
        .split('\n')
        .slice(0, 3),
    ).toEqual(['add table ip orrery-proxy', 'delete table ip orrery-proxy', 'add table ip orrery-proxy'])
  })
})
