import { describe, expect, it } from 'vitest'
import type { Container, Pod, ResourceRequirements } from '../../../common/api/generated/types.ts'
import type { ObservedContainer } from '../runtime/observed.ts'
import type { NodeFacts } from './field-path.ts'
import { admitResize, planResizes, resizeNeedsRestart } from './resize.ts'
import { containerResources } from './resources.ts'

const requests = (cpu: string, memory = '64Mi'): ResourceRequirements => ({ requests: { cpu, memory } })
const pod = (resources: ResourceRequirements, before: ResourceRequirements, part: Partial<Container> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', uid: 'p' },
  spec: { containers: [{ name: 'main', resources, ...part }] },
  status: {
    containerStatuses: [{ name: 'main', image: '', imageID: '', ready: true, restartCount: 0, resources: before }],
  },
})
const neighbour: Pod = { ...pod(requests('600m'), requests('600m')), metadata: { name: 'n', uid: 'n' } }
const node: NodeFacts = {
  name: 'node',
  addresses: [],
  allocatable: { cpuMillis: 1000, memoryBytes: 512 * 2 ** 20, ephemeralBytes: 0 },
}
const running = (resources: ResourceRequirements): ObservedContainer => ({
  id: 'main-0',
  name: 'main',
  sandboxId: 'sb',
  attempt: 0,
  state: 'running',
  createdAtMs: 1,
  startedAtMs: 1,
  finishedAtMs: 0,
  exitCode: 0,
  reason: '',
  message: '',
  image: '',
  imageId: '',
  hash: '',
  logPath: '',
  terminationMessageFile: '',
  terminationMessagePolicy: 'File',
  resources: containerResources({ resources }),
})

describe('a resize', () => {
  it('is admitted where there is room', () => {
    const resized = pod(requests('300m'), requests('100m'))
    expect(admitResize(resized, node, [resized, neighbour])).toEqual({ pod: resized })
  })

  it('waits while others use the room, and the containers keep what they have', () => {
    const resized = pod(requests('500m'), requests('100m'))
    const { pod: admitted, pending } = admitResize(resized, node, [resized, neighbour])
    expect(pending).toEqual({
      reason: 'Deferred',
      message: "Node didn't have enough resource: cpu, requested: 500, used: 600, capacity: 1000",
    })
    expect(admitted.spec?.containers[0]?.resources).toEqual(requests('100m'))
  })

  it('can never be when the node is too small', () => {
    const { pending } = admitResize(pod(requests('2'), requests('100m')), node, [])
    expect(pending).toEqual({
      reason: 'Infeasible',
      message: "Node didn't have enough capacity: cpu, requested: 2000, capacity: 1000",
    })
  })

  it('tells the runtime what changed, and nothing when quantities are only written otherwise', () => {
    const observed = (resources: ResourceRequirements): Parameters<typeof planResizes>[1] => ({
      uid: 'p',
      name: 'p',
      namespace: '',
      sandboxes: [],
      containers: [running(resources)],
    })
    const resized = pod({ limits: { cpu: '300m', memory: '48Mi' } }, {})
    expect(planResizes(resized, observed({ limits: { cpu: '0.3', memory: '48Mi' } }))).toEqual([])
    expect(planResizes(resized, observed({ limits: { cpu: '200m', memory: '32Mi' } }))).toMatchObject([
      { container: { id: 'main-0' }, resources: { cpuQuotaUs: 30_000, memoryLimitBytes: 48 * 2 ** 20 } },
    ])
  })

  it('restarts the container where its policy says so, only for the resource it names', () => {
    const container: Container = {
      name: 'main',
      resources: { limits: { cpu: '1', memory: '64Mi' } },
      resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }],
    }
    expect(resizeNeedsRestart(container, running({ limits: { cpu: '2', memory: '64Mi' } }))).toBe(false)
    expect(resizeNeedsRestart(container, running({ limits: { cpu: '1', memory: '32Mi' } }))).toBe(true)
  })
})
