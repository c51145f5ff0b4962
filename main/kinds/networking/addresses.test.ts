import { describe, expect, it } from 'vitest'
import { runKindContract } from '../kind-contract.ts'
import { createObject, updateObject } from '../testing/lifecycle.ts'
import { ipAddress } from './ip-address.ts'
import { serviceCidr } from './service-cidr.ts'

const parentRef = { resource: 'services', namespace: 'default', name: 'kubernetes' }

runKindContract(ipAddress, {
  valid: [
    { metadata: { name: '10.96.0.1' }, spec: { parentRef } },
    {
      metadata: { name: '2001:db8::ffff' },
      spec: { parentRef: { group: 'example.com', resource: 'vips', name: 'a' } },
    },
  ],
})
runKindContract(serviceCidr, {
  valid: [{ spec: { cidrs: ['10.0.0.0/16'] } }, { spec: { cidrs: ['2001:db8::/64', '10.1.0.0/24'] } }],
})

describe('IPAddress', () => {
  it.each([
    ['10.0.0.256', 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ['2001:db8:0:0:0:0:0:ffff', 'must be in canonical form ("2001:db8::ffff")'],
    ['::ffff:1.2.3.4', 'must not be an IPv4-mapped IPv6 address'],
  ])('is not named %s', (name, why) => {
    expect(createObject(ipAddress, { metadata: { name }, spec: { parentRef } }).errors).toEqual([
      `metadata.name: Invalid value: "${name}": ${why}`,
    ])
  })

  it('belongs to one owner', () => {
    const { object, errors } = createObject(ipAddress, { metadata: { name: '10.0.0.1' }, spec: {} })
    expect(errors).toEqual(['spec.parentRef: Required value'])
    const moved = updateObject(ipAddress, object, (changed) => Object.assign(changed, { spec: { parentRef } }))
    expect(moved.errors).toHaveLength(1)
  })

  it('shows its owner', () => {
    const { object } = createObject(ipAddress, { metadata: { name: '10.0.0.1' }, spec: { parentRef } })
    expect(ipAddress.columns?.map((column) => column.cell(object, new Date()))).toEqual([
      '10.0.0.1',
      'services/default/kubernetes',
    ])
  })
})

describe('ServiceCIDR', () => {
  it.each([
    [[], ['spec.cidrs: Required value: at least one CIDR required']],
    [['10.0.0.1/16'], ['spec.cidrs[0]: Invalid value: "10.0.0.1/16": must not have bits set beyond the prefix length']],
    [
      ['10.0.0.0/16', '10.1.0.0/16'],
      [
        'spec.cidrs: Invalid value: ["10.0.0.0/16","10.1.0.0/16"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
      ],
    ],
  ])('of %j is refused', (cidrs, errors) => {
    expect(createObject(serviceCidr, { spec: { cidrs } }).errors).toEqual(errors)
  })

  it('may get a second family and does not change otherwise', () => {
    const { object } = createObject(serviceCidr, { spec: { cidrs: ['10.0.0.0/16'] } })
    const change = (cidrs: string[]) =>
      updateObject(serviceCidr, object, (changed) => Object.assign(changed, { spec: { cidrs } })).errors
    expect(change(['10.0.0.0/16', '2001:db8::/64'])).toEqual([])
    expect(change(['10.1.0.0/16'])).toEqual(['spec.cidrs[0]: Invalid value: "10.1.0.0/16": field is immutable'])
    expect(change([])).toEqual(['spec.cidrs: Invalid value: []: field is immutable'])
  })
})
