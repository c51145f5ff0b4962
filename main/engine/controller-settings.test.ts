import { describe, expect, it } from 'vitest'
import { controllerSettings } from './controller-settings.ts'

const network = { clusterCIDR: '10.244.0.0/16', serviceCIDRs: ['10.96.0.0/16'] }

describe('settings of controllers', () => {
  it("are upstream's when nothing is said", () => {
    expect(controllerSettings(undefined, network)).toMatchObject({
      podRanges: undefined,
      nodeMonitorGraceMs: 50_000,
      evictions: { perSecond: 0.1 },
      terminatedPods: 12_500,
    })
  })

  it('take the common prefix for the one family there is', () => {
    const given = { allocateNodeCidrs: true, nodeMaskSize: 26, evictions: { perSecond: 1 } }
    expect(controllerSettings(given, network)).toMatchObject({
      podRanges: {
        clusterCidrs: ['10.244.0.0/16'],
        maskSizes: { IPv4: 26, IPv6: 64 },
        reserved: ['10.96.0.0/16'],
      },
      evictions: { perSecond: 1, unhealthyShare: 0.55 },
    })
  })

  it('refuse what contradicts itself', () => {
    const dual = ['10.0.0.0/16', 'fd00::/48']
    expect(() => controllerSettings({ nodeMaskSize: 24, clusterCidrs: dual }, network)).toThrow('dual-stack')
    expect(() => controllerSettings({ nodeMaskSize: 8 }, network)).toThrow('too big')
  })
})
