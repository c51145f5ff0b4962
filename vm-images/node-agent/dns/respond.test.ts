import { decode, encode, type Packet } from 'dns-packet'
import { describe, expect, it } from 'vitest'
import type { Endpoint, EndpointSlice, Service } from '../../../common/api/generated/types.ts'
import { sliceService } from '../proxy/backends.ts'
import type { ClusterNames } from './records.ts'
import { respond } from './respond.ts'

const service = (name: string, spec: NonNullable<Service['spec']>): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'shop', name },
  spec: { ports: [{ name: 'http', port: 80, protocol: 'TCP' }], ...spec },
})
const services = [
  service('web', { clusterIP: '10.96.0.7' }),
  service('db', { clusterIP: 'None' }),
  service('empty', { clusterIP: 'None' }),
  service('out', { type: 'ExternalName', externalName: 'example.org' }),
  service('many', { clusterIP: 'None' }),
]
const slice = (name: string, endpoints: Endpoint[]): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { namespace: 'shop', name: `${name}-x`, labels: { 'kubernetes.io/service-name': name } },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints,
})
const slices = [
  slice('db', [{ addresses: ['10.244.0.5'], hostname: 'db-0' }, { addresses: ['10.244.1.6'] }]),
  slice(
    'many',
    Array.from({ length: 60 }, (_, index) => ({ addresses: [`10.244.2.${String(index + 1)}`] })),
  ),
]
const names: ClusterNames = {
  domain: 'cluster.local',
  dnsAddress: '10.96.0.10',
  service: (namespace, name) =>
    services.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
  slices: (namespace, name) => slices.filter((each) => sliceService(each) === `${namespace}/${name}`),
  hasNamespace: (namespace) => namespace === 'shop',
  serviceByAddress: (ip) => services.find(({ spec }) => spec?.clusterIP === ip),
  endpointByAddress(ip) {
    for (const each of slices) {
      const endpoint = each.endpoints?.find(({ addresses }) => addresses.includes(ip))
      if (endpoint !== undefined) return { endpoint, slice: each }
    }
    return undefined
  },
}

type QueryType = NonNullable<Packet['questions']>[number]['type']
interface Answer {
  rcode: string
  data: unknown[]
  packet: ReturnType<typeof decode> & { rcode: string; flag_tc: boolean }
}
function ask(name: string, type: QueryType = 'A', transport: 'udp' | 'tcp' = 'udp', payload?: number): Answer {
  const additionals: Packet['additionals'] =
    payload === undefined
      ? []
      : [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: payload,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ]
  const query = encode({ type: 'query', id: 77, flags: 0x100, questions: [{ name, type }], additionals })
  const answer = respond(names, query, transport, true)
  if (answer === undefined) throw new Error('no answer')
  const packet = decode(answer) as Answer['packet']
  expect(packet.id).toBe(77)
  return {
    rcode: packet.rcode,
    packet,
    data: (packet.answers ?? []).map((record) => ('data' in record ? record.data : undefined)),
  }
}

describe('services', () => {
  it('have their cluster address', () => {
    expect(ask('web.shop.svc.cluster.local')).toMatchObject({ rcode: 'NOERROR', data: ['10.96.0.7'] })
  })

  it('are found whatever the case, and the name is given back as asked', () => {
    const { packet, data } = ask('Web.shop.SVC.cluster.local')
    expect(data).toEqual(['10.96.0.7'])
    expect(packet.answers?.[0]?.name).toBe('Web.shop.SVC.cluster.local')
  })

  it('have no IPv6 address, but exist', () => {
    const { rcode, data, packet } = ask('web.shop.svc.cluster.local', 'AAAA')
    expect([rcode, data]).toEqual(['NOERROR', []])
    expect(packet.authorities?.[0]?.type).toBe('SOA')
  })

  it('tell their ports', () => {
    expect(ask('_http._tcp.web.shop.svc.cluster.local', 'SRV').data).toEqual([
      { priority: 0, weight: 100, port: 80, target: 'web.shop.svc.cluster.local' },
    ])
    expect(ask('_nope._tcp.web.shop.svc.cluster.local', 'SRV').rcode).toBe('NXDOMAIN')
  })

  it('elsewhere are an alias', () => {
    expect(ask('out.shop.svc.cluster.local').data).toEqual(['example.org'])
  })
})

describe('headless services', () => {
  it('have the addresses of their endpoints', () => {
    expect(ask('db.shop.svc.cluster.local').data).toEqual(['10.244.0.5', '10.244.1.6'])
  })

  it('name each endpoint, by hostname or by address', () => {
    expect(ask('db-0.db.shop.svc.cluster.local').data).toEqual(['10.244.0.5'])
    expect(ask('10-244-1-6.db.shop.svc.cluster.local').data).toEqual(['10.244.1.6'])
    expect(ask('db-9.db.shop.svc.cluster.local').rcode).toBe('NXDOMAIN')
  })

  it('tell where each endpoint listens', () => {
    const { data, packet } = ask('_http._tcp.db.shop.svc.cluster.local', 'SRV')
    expect(data).toEqual([
      { priority: 0, weight: 50, port: 8080, target: 'db-0.db.shop.svc.cluster.local' },
      { priority: 0, weight: 50, port: 8080, target: '10-244-1-6.db.shop.svc.cluster.local' },
    ])
    expect(packet.additionals?.map(({ name }) => name)).toContain('db-0.db.shop.svc.cluster.local')
  })

  it('without endpoints do not exist', () => {
    expect(ask('empty.shop.svc.cluster.local').rcode).toBe('NXDOMAIN')
  })
})

describe('other names', () => {
  it('of pods carry their address', () => {
    expect(ask('10-244-0-9.shop.pod.cluster.local').data).toEqual(['10.244.0.9'])
    expect(ask('10-244-0-999.shop.pod.cluster.local').rcode).toBe('NXDOMAIN')
  })

  it('are found by address', () => {
    expect(ask('7.0.96.10.in-addr.arpa', 'PTR').data).toEqual(['web.shop.svc.cluster.local'])
    expect(ask('5.0.244.10.in-addr.arpa', 'PTR').data).toEqual(['db-0.db.shop.svc.cluster.local'])
    expect(ask('1.2.3.4.in-addr.arpa', 'PTR').rcode).toBe('NXDOMAIN')
  })

  it('inside the cluster: namespaces exist, unknown services do not', () => {
    expect(ask('shop.svc.cluster.local').rcode).toBe('NOERROR')
    expect(ask('none.shop.svc.cluster.local').rcode).toBe('NXDOMAIN')
    expect(ask('none.svc.cluster.local').rcode).toBe('NXDOMAIN')
  })

  it('outside the cluster do not exist, at once', () => {
    const { rcode, packet } = ask('example.com')
    expect(rcode).toBe('NXDOMAIN')
    expect(packet.authorities).toEqual([])
  })
})

describe('messages', () => {
  it('too large for UDP are marked as cut off, over TCP they are whole', () => {
    const cut = ask('many.shop.svc.cluster.local')
    expect([cut.packet.flag_tc, cut.data]).toEqual([true, []])
    expect(ask('many.shop.svc.cluster.local', 'A', 'tcp').data).toHaveLength(60)
  })

  it('may be as large as the client says', () => {
    expect(ask('many.shop.svc.cluster.local', 'A', 'udp', 4096).data).toEqual([])
    expect(ask('db.shop.svc.cluster.local', 'A', 'udp', 1232).packet.additionals?.[0]?.type).toBe('OPT')
  })

  it('that make no sense are refused, answers are ignored', () => {
    const broken = Buffer.from([0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 63])
    expect(respond(names, broken, 'udp', true)?.readUInt16BE(2)).toBe(0x8101)
    expect(respond(names, Buffer.from([1, 2]), 'udp', true)).toBeUndefined()
    const answer = encode({ type: 'response', id: 1, questions: [{ name: 'a', type: 'A' }] })
    expect(respond(names, answer, 'udp', true)).toBeUndefined()
  })

  it('before the names are known are answered with a failure that clients try again', () => {
    const query = encode({ type: 'query', id: 1, questions: [{ name: 'web.shop.svc.cluster.local', type: 'A' }] })
    expect((respond(names, query, 'udp', false)?.readUInt16BE(2) ?? 0) & 0xf).toBe(2)
  })
})
