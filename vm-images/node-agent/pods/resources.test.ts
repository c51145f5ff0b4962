import { describe, expect, it } from 'vitest'
import type { Container, Pod } from '../../../common/api/generated/types.ts'
import { containerResources, milliCpuToQuotaUs, milliCpuToShares, oomScoreAdjust, podCgroup, qosClass, sharesToWeight } from './resources.ts' // prettier-ignore

const gibibyte = 1 << 30
const container = (resources: Container['resources'], part: Partial<Container> = {}): Container => ({
  name: 'c',
  resources,
  ...part,
})
const pod = (containers: Container[], initContainers: Container[] = []): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', uid: 'u-1' },
  spec: { containers, initContainers },
})

describe('cpu', () => {
  it.each([
    [0, 2],
    [1, 2],
    [100, 102],
    [1000, 1024],
    [1_000_000, 262_144],
  ])('%i millicores are %i shares', (millis, shares) => {
    expect(milliCpuToShares(millis)).toBe(shares)
  })

  it.each([
    [0, 0],
    [5, 1000],
    [500, 50_000],
    [2000, 200_000],
  ])('%i millicores are a quota of %i us', (millis, quota) => {
    expect(milliCpuToQuotaUs(millis)).toBe(quota)
  })

  it.each([
    [2, 1],
    [1024, 39],
    [262_144, 10_000],
  ])('%i shares weigh %i', (shares, weight) => {
    expect(sharesToWeight(shares)).toBe(weight)
  })
})

describe('quality of service', () => {
  const full = { limits: { cpu: '1', memory: '64Mi' }, requests: { cpu: '1', memory: '64Mi' } }

  it('is guaranteed only when every container limits and requests the same of both', () => {
    expect(qosClass(pod([container(full)]))).toBe('Guaranteed')
    expect(qosClass(pod([container({ limits: full.limits })]))).toBe('Guaranteed')
    expect(qosClass(pod([container(full), container({ limits: { cpu: '1' } })]))).toBe('Burstable')
    expect(qosClass(pod([container(full)], [container({})]))).toBe('Burstable')
  })

  it('is best effort when nobody asks for anything', () => {
    expect(qosClass(pod([container({}), container(undefined)]))).toBe('BestEffort')
  })
})

describe('pod cgroup', () => {
  it('sums containers and takes the largest init container', () => {
    const cgroup = podCgroup(
      pod(
        [container({ requests: { cpu: '100m' } }), container({ requests: { cpu: '200m' } })],
        [container({ requests: { cpu: '1' } })],
      ),
    )
    expect(cgroup).toEqual({ path: '/kubepods/burstable/podu-1', cpuShares: 1024, cpuQuotaUs: 0, memoryLimitBytes: 0 })
  })

  it('adds sidecars to what runs beside them', () => {
    const cgroup = podCgroup(
      pod(
        [container({ limits: { memory: '10Mi' } })],
        [container({ limits: { memory: '5Mi' } }, { restartPolicy: 'Always' })],
      ),
    )
    expect(cgroup.memoryLimitBytes).toBe(15 << 20)
  })

  it('has no limit when one container has none', () => {
    expect(podCgroup(pod([container({ limits: { memory: '10Mi' } }), container({})])).memoryLimitBytes).toBe(0)
  })
})

describe('out of memory score', () => {
  it('spares guaranteed pods and takes best effort ones first', () => {
    const guaranteed = container({ limits: { cpu: '1', memory: '1Gi' } })
    expect(oomScoreAdjust(pod([guaranteed]), guaranteed, gibibyte)).toBe(-997)
    const bestEffort = container({})
    expect(oomScoreAdjust(pod([bestEffort]), bestEffort, gibibyte)).toBe(1000)
  })

  it('falls with the share of memory that is requested', () => {
    const half = container({ requests: { memory: '512Mi' } })
    expect(oomScoreAdjust(pod([half]), half, gibibyte)).toBe(500)
    const little = container({ requests: { cpu: '1m' } })
    expect(oomScoreAdjust(pod([little]), little, gibibyte)).toBe(999)
    const all = container({ requests: { memory: '1Gi' } })
    expect(oomScoreAdjust(pod([all]), all, gibibyte)).toBe(3)
  })
})

it('container limits become what CRI takes', () => {
  expect(containerResources(container({ limits: { cpu: '250m', memory: '32Mi' }, requests: { cpu: '100m' } }))).toEqual(
    {
      cpuShares: 102,
      cpuQuotaUs: 25_000,
      memoryLimitBytes: 32 << 20,
    },
  )
})
