import { describe, expect, it } from 'vitest'
import type { Service } from '../../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import { runKindContract } from '../../kind-contract.ts'
import { cloneJson } from '../../strategy.ts'
import { createObject, newTestContext, updateObject } from '../../testing/lifecycle.ts'
import { serviceAddresses } from './cluster-ips.ts'
import { service } from './index.ts'

const ports = [{ port: 80 }]
runKindContract(service, {
  valid: [
    { spec: { ports, selector: { app: 'web' } } },
    { spec: { ports, clusterIP: 'None' } },
    {
      spec: {
        type: 'NodePort',
        ports: [
          { name: 'a', port: 80, nodePort: 30_080 },
          { name: 'b', port: 81, protocol: 'UDP' },
        ],
      },
    },
    { spec: { type: 'LoadBalancer', ports, externalTrafficPolicy: 'Local', sessionAffinity: 'ClientIP' } },
    { spec: { type: 'ExternalName', externalName: 'db.example.com' } },
  ],
})

/** Services as they are stored: with their IPAddresses. */
const withAddresses = (services: readonly Service[]): KubeObject[] =>
  services.flatMap((object) => [
    object,
    ...serviceAddresses(object, undefined).create.map((companion) => companion.object),
  ])

const newService = (spec: Record<string, unknown>, stored: Service[] = [], name = 'test') =>
  createObject(
    service,
    { metadata: { name }, spec: { ports, ...spec } },
    newTestContext({ stored: withAddresses(stored) }),
  )

/** Where the fixed uid of test objects leads in 10.96.0.0/16 and 30000-32767. */
const firstChoice = '10.96.171.44'
const nextChoice = '10.96.171.45'
const firstPort = 32_075
const stored = (name: string, spec: Record<string, unknown>): Service => newService(spec, [], name).object

describe('defaults of a Service', () => {
  it('are those of Kubernetes', () => {
    expect(newService({}).object).toMatchObject({
      spec: {
        type: 'ClusterIP',
        clusterIP: firstChoice,
        clusterIPs: [firstChoice],
        internalTrafficPolicy: 'Cluster',
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
        sessionAffinity: 'None',
      },
      status: { loadBalancer: {} },
    })
  })

  it('give each Service a free address and a free port', () => {
    const first = stored('first', { type: 'NodePort' })
    expect(first.spec?.ports?.[0]?.nodePort).toBe(firstPort)
    const { spec } = newService({ type: 'NodePort' }, [first]).object
    expect(spec?.clusterIP).toBe(nextChoice)
    expect(spec?.ports?.[0]?.nodePort).toBe(firstPort + 1)
  })

  it('leave the reserved addresses to those who ask', () => {
    expect(newService({ clusterIP: '10.96.0.1' }).errors).toEqual([])
    expect(newService({ clusterIP: '10.96.0.10' }).object.spec?.clusterIPs).toEqual(['10.96.0.10'])
  })

  it('use one node port for the same port of two protocols', () => {
    const both = [
      { name: 'a', port: 53, protocol: 'UDP' },
      { name: 'b', port: 53, protocol: 'TCP' },
    ]
    const { object, errors } = newService({ type: 'NodePort', ports: both })
    expect(errors).toEqual([])
    expect(object.spec?.ports?.map((port) => port.nodePort)).toEqual([firstPort, firstPort])
  })
})

describe('addresses of a Service', () => {
  const cidr = (name: string, cidrs: string[], ready = 'True'): KubeObject =>
    ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'ServiceCIDR',
      metadata: { name },
      spec: { cidrs },
      status: { conditions: [{ type: 'Ready', status: ready }] },
    }) as KubeObject
  const create = (spec: Record<string, unknown>, others: KubeObject[]) =>
    createObject(service, { spec: { ports, ...spec } }, newTestContext({ stored: others }))

  it('are written as IPAddresses with it, and go with it', () => {
    const { object } = newService({})
    const { create, remove } = serviceAddresses(object, undefined)
    expect(remove).toEqual([])
    expect(create.map((companion) => companion.object)).toEqual([
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'IPAddress',
        metadata: {
          name: firstChoice,
          labels: {
            'ipaddress.kubernetes.io/ip-family': 'IPv4',
            'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
          },
        },
        spec: { parentRef: { resource: 'services', namespace: 'default', name: 'test' } },
      },
    ])
    const gone = [{ group: 'networking.k8s.io', plural: 'ipaddresses', name: firstChoice }]
    expect(serviceAddresses(undefined, object)).toEqual({ create: [], remove: gone })
    const alias = { ...object, spec: { type: 'ExternalName' } } as Service
    expect(serviceAddresses(alias, object)).toEqual({ create: [], remove: gone })
    expect(serviceAddresses(object, object)).toEqual({ create: [], remove: [] })
  })

  it('come from ranges that are ready', () => {
    const small = cidr('small', ['10.9.0.0/29'])
    const addresses: KubeObject[] = [small, cidr('other', ['10.8.0.0/24'], 'False')]
    for (let index = 0; index < 6; index += 1) {
      const { object, errors } = create({}, addresses)
      expect(errors).toEqual([])
      expect(object.spec?.clusterIP).toMatch(/^10\.9\.0\.[1-6]$/)
      addresses.push(...serviceAddresses(object, undefined).create.map((companion) => companion.object))
    }
    expect(() => create({}, addresses)).toThrow(
      'Internal error occurred: failed to allocate a serviceIP: range is full',
    )
    expect(create({ clusterIP: '10.8.0.4' }, addresses).errors).toEqual([
      'spec.clusterIPs: Invalid value: ["10.8.0.4"]: failed to allocate IP 10.8.0.4: the provided network does not match the current range',
    ])
  })
})

describe('validation of a Service', () => {
  const cases: [string, Record<string, unknown>, string[]][] = [
    ['no ports', { ports: [] }, ['spec.ports: Required value']],
    [
      'an unknown type',
      { type: 'Pigeon' },
      [
        'spec.type: Unsupported value: "Pigeon": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    [
      'two ports without names',
      { ports: [{ port: 1 }, { port: 2 }] },
      ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value'],
    ],
    [
      'the same port twice',
      {
        ports: [
          { name: 'a', port: 1 },
          { name: 'b', port: 1 },
        ],
      },
      ['spec.ports[1]: Duplicate value: {"protocol":"TCP","port":1}'],
    ],
    [
      'a node port without node ports',
      { ports: [{ port: 1, nodePort: 30_000 }] },
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      'an address elsewhere',
      { clusterIP: '10.0.0.1' },
      [
        'spec.clusterIPs: Invalid value: ["10.0.0.1"]: failed to allocate IP 10.0.0.1: the provided network does not match the current range',
      ],
    ],
    [
      'no address at all',
      { clusterIP: 'there' },
      ['spec.clusterIPs[0]: Invalid value: "there": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ],
    [
      'a node port out of range',
      { type: 'NodePort', ports: [{ port: 1, nodePort: 80 }] },
      [
        'spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
      ],
    ],
    ['an alias without name', { type: 'ExternalName', ports: [] }, ['spec.externalName: Required value']],
    [
      'a headless NodePort',
      { type: 'NodePort', clusterIP: 'None' },
      ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services'],
    ],
    [
      'an external policy inside',
      { externalTrafficPolicy: 'Local' },
      ['spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'],
    ],
    [
      'loopback',
      { externalIPs: ['127.0.0.1'] },
      ['spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'],
    ],
    [
      'two families',
      { ipFamilyPolicy: 'RequireDualStack' },
      [
        'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
      ],
    ],
  ]
  it.each(cases)('refuses %s', (_, spec, errors) => {
    expect(newService(spec).errors).toEqual(errors)
  })

  it('refuses what another Service has', () => {
    const other = stored('other', { type: 'NodePort', clusterIP: '10.96.5.5', ports: [{ port: 1, nodePort: 31_000 }] })
    expect(newService({ clusterIP: '10.96.5.5' }, [other]).errors).toEqual([
      'spec.clusterIPs: Invalid value: ["10.96.5.5"]: failed to allocate IP 10.96.5.5: provided IP is already allocated',
    ])
    expect(newService({ type: 'NodePort', ports: [{ port: 1, nodePort: 31_000 }] }, [other]).errors).toEqual([
      'spec.ports[0].nodePort: Invalid value: 31000: provided port is already allocated',
    ])
  })
})

describe('updates of a Service', () => {
  const replace = (old: Service, spec: Record<string, unknown>) =>
    updateObject(service, old, (object) => Object.assign(object, { spec: cloneJson(spec) }))

  it('keep address and node port when a manifest without them is put again', () => {
    const old = newService({ type: 'NodePort' }).object
    const { object, errors } = replace(old, { type: 'NodePort', ports })
    expect(errors).toEqual([])
    expect(object.spec).toMatchObject({ clusterIP: old.spec?.clusterIP, ports: [{ nodePort: firstPort }] })
  })

  it('do not change the address', () => {
    const old = newService({}).object
    expect(replace(old, { ports, clusterIP: '10.96.0.99', clusterIPs: ['10.96.0.99'] }).errors).toEqual([
      'spec.clusterIPs[0]: Invalid value: ["10.96.0.99"]: may not change once set',
    ])
  })

  it('give the node port back when it turns into ClusterIP', () => {
    const old = newService({ type: 'NodePort' }).object
    const { object, errors } = updateObject(service, old, ({ spec }) =>
      Object.assign(spec ?? {}, { type: 'ClusterIP' }),
    )
    expect(errors).toEqual([])
    expect(object.spec?.ports?.[0]?.nodePort).toBeUndefined()
    expect(object.spec?.externalTrafficPolicy).toBeUndefined()
  })

  it('give the address back when it turns into an alias', () => {
    const old = newService({}).object
    const { object, errors } = updateObject(service, old, ({ spec }) =>
      Object.assign(spec ?? {}, { type: 'ExternalName', externalName: 'a.b' }),
    )
    expect(errors).toEqual([])
    expect(object.spec?.clusterIP).toBeUndefined()
    expect(object.spec?.internalTrafficPolicy).toBeUndefined()
  })
})

describe('kubectl get services', () => {
  const now = new Date()
  const cells = (spec: Record<string, unknown>, status = {}): unknown[] => {
    const { object } = newService(spec)
    return (service.columns ?? []).slice(1, 5).map((column) => column.cell({ ...object, status }, now))
  }

  it.each<[Record<string, unknown>, unknown[]]>([
    [{ ports: [{ port: 80 }] }, ['ClusterIP', firstChoice, '<none>', '80/TCP']],
    [{ clusterIP: 'None', ports: [] }, ['ClusterIP', 'None', '<none>', '<none>']],
    [
      { type: 'NodePort', externalIPs: ['1.2.3.4'] },
      ['NodePort', firstChoice, '1.2.3.4', `80:${String(firstPort)}/TCP`],
    ],
    [{ type: 'LoadBalancer' }, ['LoadBalancer', firstChoice, '<pending>', `80:${String(firstPort)}/TCP`]],
    [{ type: 'ExternalName', externalName: 'a.b', ports: [] }, ['ExternalName', '<none>', 'a.b', '<none>']],
  ])('shows %j', (spec, expected) => {
    expect(cells(spec)).toEqual(expected)
  })
})

describe('the status of a Service', () => {
  const write = (spec: Record<string, unknown>, ingress: object[]): string[] =>
    updateObject(
      service,
      newService(spec).object,
      (changed) => Object.assign(changed, { status: { loadBalancer: { ingress } } }),
      { door: 'status' },
    ).errors

  it.each<[string, object[], string[]]>([
    [
      'ClusterIP',
      [{ ip: '1.2.3.4' }],
      [
        'Forbidden: may only be used when `spec.type` is "LoadBalancer"',
        '[0].ipMode: Required value: must be specified when `ip` is set',
      ],
    ],
    ['LoadBalancer', [{ ip: '1.2.3.4' }, { hostname: 'lb.example.com' }], []],
    [
      'LoadBalancer',
      [{ hostname: '1.2.3.4' }],
      ['[0].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address'],
    ],
    [
      'LoadBalancer',
      [{ hostname: 'a', ipMode: 'VIP' }],
      ['[0].ipMode: Forbidden: may not be specified when `ip` is not set'],
    ],
    [
      'LoadBalancer',
      [{ ip: '1.2.3.4', ipMode: 'Odd' }],
      ['[0].ipMode: Unsupported value: "Odd": supported values: "Proxy", "VIP"'],
    ],
  ])('of type %s with %j', (type, ingress, errors) => {
    const path = 'status.loadBalancer.ingress'
    expect(write({ type }, ingress)).toEqual(
      errors.map((error) => (error.startsWith('[') ? path + error : `${path}: ${error}`)),
    )
  })
})

describe('warnings about Services', () => {
  it.each<[Record<string, unknown>, string[]]>([
    [{}, []],
    [{ externalName: 'a.b' }, ['spec.externalName is ignored when spec.type is not "ExternalName"']],
    [
      { clusterIP: 'None', externalIPs: ['1.2.3.4'], sessionAffinity: 'ClientIP' },
      ['spec.externalIPs is ignored for headless services', 'spec.SessionAffinity is ignored for headless services'],
    ],
    [
      { trafficDistribution: 'PreferClose' },
      ['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'],
    ],
  ])('with %j', (spec, warnings) => {
    expect(service.warnings?.(newService(spec).object, undefined)).toEqual(warnings)
  })
})
