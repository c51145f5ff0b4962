import { describe, expect, it } from 'vitest'
import type { Service } from '../../../../common/api/generated/types.ts'
import { createObject, newTestContext, updateObject } from '../../testing/lifecycle.ts'
import { service } from './index.ts'

const v4 = '10.96.0.0/16'
const v6 = 'fd00:10:96::/108'
const v4Address = '10.96.171.44'
const v6Address = 'fd00:10:96::8:9a8b'
const ports = [{ port: 80 }]

interface Families {
  ipFamilyPolicy?: string | undefined
  ipFamilies?: string[] | undefined
  clusterIPs?: string[] | undefined
}
const familiesOf = ({ spec }: Service): Families => ({
  ipFamilyPolicy: spec?.ipFamilyPolicy,
  ipFamilies: spec?.ipFamilies,
  clusterIPs: spec?.clusterIPs?.map((address) => (address.includes(':') ? 'v6' : address === 'None' ? 'None' : 'v4')),
})

const create = (serviceCIDRs: string[], spec: Record<string, unknown>) =>
  createObject(service, { spec: { ports, ...spec } }, newTestContext({ serviceCIDRs }))

describe('the families of a new Service', () => {
  it.each<[string, string[], Record<string, unknown>, Families]>([
    ['IPv4 only', [v4], {}, { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'], clusterIPs: ['v4'] }],
    ['IPv6 only', [v6], {}, { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6'], clusterIPs: ['v6'] }],
    [
      'IPv4 only, both preferred',
      [v4],
      { ipFamilyPolicy: 'PreferDualStack' },
      { ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv4'], clusterIPs: ['v4'] },
    ],
    ['both', [v4, v6], {}, { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'], clusterIPs: ['v4'] }],
    ['both, IPv6 first', [v6, v4], {}, { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6'], clusterIPs: ['v6'] }],
    [
      'both, both required',
      [v4, v6],
      { ipFamilyPolicy: 'RequireDualStack' },
      { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'], clusterIPs: ['v4', 'v6'] },
    ],
    [
      'both, the other one asked for first',
      [v4, v6],
      { ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv6'] },
      { ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv6', 'IPv4'], clusterIPs: ['v6', 'v4'] },
    ],
    [
      'both, an address asked for',
      [v4, v6],
      { clusterIP: 'fd00:10:96::77' },
      { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6'], clusterIPs: ['v6'] },
    ],
    [
      'IPv4 only, headless without selector',
      [v4],
      { clusterIP: 'None' },
      { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'], clusterIPs: ['None'] },
    ],
    [
      'IPv4 only, headless with selector',
      [v4],
      { clusterIP: 'None', selector: { a: 'b' } },
      { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'], clusterIPs: ['None'] },
    ],
  ])('%s', (_, cidrs, spec, families) => {
    const { object, errors } = create(cidrs, spec)
    expect(errors).toEqual([])
    expect(familiesOf(object)).toEqual(families)
  })

  it.each<[string, string[], Record<string, unknown>, string[]]>([
    [
      'both required of one',
      [v4],
      { ipFamilyPolicy: 'RequireDualStack' },
      [
        'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
      ],
    ],
    [
      'a family that is not there',
      [v6],
      { ipFamilies: ['IPv4'] },
      ['spec.ipFamilies[0]: Invalid value: "IPv4": not configured on this cluster'],
    ],
    [
      'an address of a family that is not there',
      [v4],
      { clusterIP: 'fd00::1' },
      ['spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster'],
    ],
    [
      'two families for one',
      [v4, v6],
      { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4', 'IPv6'] },
      [
        "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
      ],
    ],
    [
      'two addresses of one family',
      [v4, v6],
      { ipFamilyPolicy: 'RequireDualStack', clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7', '10.96.0.8'] },
      ['spec.clusterIPs: Invalid value: ["10.96.0.7","10.96.0.8"]: may specify no more than one IP for each IP family'],
    ],
    [
      'an address of another family than said',
      [v4, v6],
      { clusterIP: '10.96.0.7', ipFamilies: ['IPv6'] },
      ['spec.clusterIPs[0]: Invalid value: "10.96.0.7": expected an IPv6 value as indicated by `ipFamilies[0]`'],
    ],
    [
      'addresses without the first one',
      [v4],
      { clusterIPs: ['10.96.0.7'] },
      ['spec.clusterIPs: Invalid value: ["10.96.0.7"]: must be empty when `clusterIP` is not specified'],
    ],
  ])('are refused: %s', (_, cidrs, spec, errors) => {
    expect(create(cidrs, spec).errors).toEqual(errors)
  })
})

describe('changes of families', () => {
  const both = newTestContext({ serviceCIDRs: [v4, v6] })
  const change = (spec: Record<string, unknown>, changed: Record<string, unknown>) =>
    updateObject(service, create([v4, v6], spec).object, (object) => Object.assign(object.spec ?? {}, changed), {
      context: both,
    })

  it('a second address comes with RequireDualStack, and is written as IPAddress', () => {
    const { object, errors } = change({}, { ipFamilyPolicy: 'RequireDualStack' })
    expect(errors).toEqual([])
    expect(object.spec).toMatchObject({ clusterIP: v4Address, clusterIPs: [v4Address, v6Address] })
    const companions = service.companions?.(object, create([v4, v6], {}).object, both)
    expect(companions?.create.map((each) => each.object.metadata)).toEqual([
      {
        name: v6Address,
        labels: {
          'ipaddress.kubernetes.io/ip-family': 'IPv6',
          'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
        },
      },
    ])
  })

  it('the second address goes with SingleStack', () => {
    const { object, errors } = change({ ipFamilyPolicy: 'RequireDualStack' }, { ipFamilyPolicy: 'SingleStack' })
    expect(errors).toEqual([])
    expect(object.spec).toMatchObject({ clusterIPs: [v4Address], ipFamilies: ['IPv4'] })
  })

  it('the second address does not go without', () => {
    expect(change({ ipFamilyPolicy: 'RequireDualStack' }, { ipFamilies: ['IPv4'] }).errors).toEqual([
      'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": must be \'SingleStack\' to release the secondary IP family',
    ])
  })

  it('the first family stays', () => {
    expect(
      change({}, { clusterIP: 'fd00:10:96::5', clusterIPs: ['fd00:10:96::5'], ipFamilies: ['IPv6'] }).errors,
    ).toEqual([
      'spec.clusterIPs[0]: Invalid value: ["fd00:10:96::5"]: may not change once set',
      'spec.ipFamilies[0]: Invalid value: ["IPv6"]: may not change once set',
    ])
  })

  it('what preferred both on a cluster of one keeps one when the cluster gains the other', () => {
    const old = create([v4], { ipFamilyPolicy: 'PreferDualStack' }).object
    const again = updateObject(service, old, (object) => Object.assign(object.metadata, { labels: { a: 'b' } }), {
      context: both,
    })
    expect(again.errors).toEqual([])
    expect(familiesOf(again.object)).toEqual({
      ipFamilyPolicy: 'PreferDualStack',
      ipFamilies: ['IPv4'],
      clusterIPs: ['v4'],
    })
  })
})
