import { describe, expect, it } from 'vitest'
import type { MetricSpec } from '../../../common/api/generated/types.ts'
import type { ApiRequest } from '../../../common/client/transport.ts'
import { createScriptedTransport } from '../../../common/client/testing/scripted-transport.ts'
import { testPod } from '../testing/objects.ts'
import { measureMetrics } from './measure.ts'
import { selectPods } from './selection.ts'

const now = Date.parse('2026-01-01T01:00:00Z')
const timestamp = '2026-01-01T01:00:00Z'
const running = (name: string) => ({
  ...testPod(name, {}, { app: 'web' }),
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
})

async function measure(spec: MetricSpec, answer: (request: ApiRequest) => unknown, replicas = 2) {
  const transport = createScriptedTransport()
  transport.answer = (request) => {
    if (request.path.endsWith('/apiservices/v1beta2.custom.metrics.k8s.io')) return {}
    if (request.path === '/apis') return { groups: [] }
    if (request.path === '/api/v1')
      return { resources: [{ name: 'services', kind: 'Service', namespaced: true, verbs: ['get'] }] }
    return answer(request)
  }
  const [measured] = await measureMetrics({
    transport,
    autoscaler: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web', namespace: 'default' },
      spec: { maxReplicas: 9, scaleTargetRef: { kind: 'Deployment', name: 'web' }, metrics: [spec] },
    },
    scale: {
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: 'web' },
      spec: { replicas },
      status: { replicas, selector: 'app=web' },
    },
    pods: Array.from({ length: replicas }, (_, i) => running(`web-${String(i)}`)),
    nowMs: now,
  })
  return { measured, asked: transport.requests.at(-1) }
}

const metric = { name: 'hits', selector: { matchLabels: { verb: 'GET' } } }
const service = { kind: 'Service', name: 'web', apiVersion: 'v1' }

describe('metrics of adapters', () => {
  it('of the pods', async () => {
    const spec = { type: 'Pods', pods: { metric, target: { type: 'AverageValue', averageValue: '10' } } }
    const { measured, asked } = await measure(spec, () => ({
      items: ['web-0', 'web-1'].map((name) => ({ describedObject: { name }, timestamp, value: '15' })),
    }))
    expect(asked).toMatchObject({
      path: '/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/pods/*/hits',
      query: { labelSelector: 'app=web', metricLabelSelector: 'verb=GET' },
    })
    expect(measured).toMatchObject({
      replicas: 3,
      title: 'pods metric hits',
      status: { type: 'Pods', pods: { metric, current: { averageValue: '15' } } },
    })
  })

  it.each([
    ['as a whole', { type: 'Value', value: '100' }, 5, { value: '250' }, 'Service metric hits'],
    ['per pod', { type: 'AverageValue', averageValue: '100' }, 3, { averageValue: '125' }, 'external metric hits'],
  ])('of an object, %s', async (_, target, replicas, current, title) => {
    const spec = { type: 'Object', object: { describedObject: service, metric, target } }
    const { measured, asked } = await measure(spec, () => ({ items: [{ timestamp, value: '250' }] }))
    expect(asked?.path).toBe('/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/services/web/hits')
    expect(measured).toMatchObject({ replicas, status: { object: { describedObject: service, metric, current } } })
    expect(measured).toHaveProperty('title', expect.stringContaining(title))
  })

  it('from outside: the sum of all that is told', async () => {
    const target = { type: 'AverageValue', averageValue: '100' }
    const { measured, asked } = await measure({ type: 'External', external: { metric, target } }, () => ({
      items: [
        { timestamp, value: '100' },
        { timestamp, value: '250' },
      ],
    }))
    expect(asked).toMatchObject({
      path: '/apis/external.metrics.k8s.io/v1beta1/namespaces/default/hits',
      query: { labelSelector: 'verb=GET' },
    })
    expect(measured).toMatchObject({
      replicas: 4,
      title:
        'external metric hits(&LabelSelector{MatchLabels:map[string]string{verb: GET,},MatchExpressions:[]LabelSelectorRequirement{},})',
      status: { external: { current: { averageValue: '175' } } },
    })
  })

  it('up from nothing, by a number from outside', async () => {
    const external = { metric, target: { type: 'Value', value: '100' } }
    const { measured } = await measure(
      { type: 'External', external },
      () => ({ items: [{ timestamp, value: '250' }] }),
      0,
    )
    expect(measured).toMatchObject({ replicas: 3 })
  })

  it('that nobody serves', async () => {
    const target = { type: 'Value', value: '100' }
    const { measured } = await measure({ type: 'External', external: { metric: { name: 'hits' }, target } }, () => {
      throw new Error('gone')
    })
    expect(measured).toMatchObject({
      type: 'failed',
      reason: 'FailedGetExternalMetric',
      message:
        'unable to get external metric default/hits/nil: unable to fetch metrics from external metrics API: gone',
    })
  })
})

it('refuses pods that another autoscaler has too', () => {
  const facts = { selector: 'app=web', name: 'b', namespace: 'default', pods: [running('web-0')] }
  expect(selectPods({ ...facts, others: new Map([['a', 'app=api']]) }).pods).toHaveLength(1)
  expect(selectPods({ ...facts, others: new Map([['a', 'app']]) }).problem).toMatchObject({
    reason: 'AmbiguousSelector',
    message: 'pods by selector app=web are controlled by multiple HPAs: [{a default} {b default}]',
  })
})
