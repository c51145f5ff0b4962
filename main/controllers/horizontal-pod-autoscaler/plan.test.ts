import { describe, expect, it } from 'vitest'
import type {
  AutoscalingV2HorizontalPodAutoscaler,
  AutoscalingV2HorizontalPodAutoscalerSpec,
  Pod,
  Scale,
} from '../../../common/api/generated/types.ts'
import { testPod } from '../testing/objects.ts'
import type { ScalingHistory } from './limits.ts'
import { limitReplicas } from './limits.ts'
import type { Measurement } from './measure.ts'
import { planScale } from './plan.ts'
import type { SelectionProblem } from './selection.ts'
import type { PodUsage, UsageTarget } from './usage.ts'
import { proposeReplicas } from './usage.ts'

const now = Date.parse('2026-01-01T01:00:00Z')
const noHistory: ScalingHistory = { recommendations: [], scaledUp: [], scaledDown: [] }

interface PodChange {
  phase?: string
  ready?: boolean
  started?: string
  cpu?: string | null
}
function podOf(
  name: string,
  { phase = 'Running', ready = true, started = '00:00:00', cpu = '100m' }: PodChange = {},
): Pod {
  const requests: Record<string, string> = cpu === null ? {} : { cpu }
  const pod = testPod(name, { containers: [{ name: 'main', image: 'hello', resources: { requests } }] })
  const lastTransitionTime = `2026-01-01T${started}Z`
  return {
    ...pod,
    status: {
      phase,
      startTime: lastTransitionTime,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime }],
    },
  }
}

function propose(usage: Record<string, number>, pods: Pod[], target: Partial<UsageTarget> = { utilization: 50 }) {
  const usages = new Map<string, PodUsage>(
    Object.entries(usage).map(([name, millis]) => [name, { millis, atMs: now, windowMs: 10_000 }]),
  )
  const tolerance = { up: 0.1, down: 0.1 }
  const base = { resource: 'cpu', ...target }
  return proposeReplicas({ pods, usages, target: base, currentReplicas: pods.length, tolerance, nowMs: now })
}

describe('what usage asks for', () => {
  const two = [podOf('a'), podOf('b')]
  it.each<[string, Record<string, number>, Pod[], Partial<UsageTarget>, object]>([
    ['more', { a: 100, b: 100 }, two, { utilization: 50 }, { replicas: 4, utilization: 100, averageMillis: 100 }],
    ['fewer', { a: 20, b: 20 }, two, { utilization: 50 }, { replicas: 1, utilization: 20, averageMillis: 20 }],
    ['the same, within the tolerance', { a: 54, b: 54 }, two, { utilization: 50 }, { replicas: 2 }],
    ['more by the average', { a: 300, b: 100 }, two, { averageMillis: 100 }, { replicas: 4, averageMillis: 200 }],
    ['one that is missing counts as idle when growing', { a: 200 }, two, { utilization: 50 }, { replicas: 4 }],
    ['and as full when shrinking', { a: 10 }, two, { utilization: 50 }, { replicas: 2 }],
    [
      'one that starts counts as idle when growing',
      { a: 200, b: 200 },
      [podOf('a'), podOf('b', { ready: false, started: '00:59:00' })],
      { utilization: 50 },
      { replicas: 4, utilization: 200 },
    ],
    [
      'one that waits for a node does not count when shrinking',
      { a: 10 },
      [podOf('a'), podOf('b', { phase: 'Pending' })],
      { utilization: 50 },
      { replicas: 1 },
    ],
  ])('%s', (_, usage, pods, target, expected) => {
    expect(propose(usage, pods, target)).toMatchObject(expected)
  })

  it.each<[string, Record<string, number>, Pod[]]>([
    ['no pods returned by selector while calculating replica count', {}, []],
    ['did not receive metrics for targeted pods (pods might be unready)', {}, [podOf('a')]],
    ['missing request for cpu in container main of Pod a', { a: 10 }, [podOf('a', { cpu: null })]],
  ])('cannot say: %s', (message, usage, pods) => {
    expect(() => propose(usage, pods)).toThrow(message)
  })
})

const specOf = (
  change: Partial<AutoscalingV2HorizontalPodAutoscalerSpec> = {},
): AutoscalingV2HorizontalPodAutoscalerSpec => ({
  minReplicas: 1,
  maxReplicas: 20,
  scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
  ...change,
})

describe('limits', () => {
  const ago = (seconds: number): number => now - seconds * 1000
  const limit = (current: number, desired: number, change = {}, history: Partial<ScalingHistory> = {}) => {
    const found = limitReplicas({
      spec: specOf(change),
      current,
      desired,
      history: { ...noHistory, ...history },
      nowMs: now,
    })
    return [found.replicas, found.able.reason, found.limited.reason]
  }
  it.each<[string, unknown[], unknown[]]>([
    ['no more than double', [3, 15], [6, 'ReadyForNewScale', 'ScaleUpLimit']],
    ['no more than the maximum', [15, 25], [20, 'ReadyForNewScale', 'TooManyReplicas']],
    ['no fewer than the minimum', [5, 1, { minReplicas: 3 }], [3, 'ReadyForNewScale', 'TooFewReplicas']],
    [
      'no fewer than five minutes ago',
      [
        8,
        2,
        {},
        {
          recommendations: [
            { replicas: 6, atMs: ago(200) },
            { replicas: 9, atMs: ago(400) },
          ],
        },
      ],
      [6, 'ScaleDownStabilized', 'DesiredWithinRange'],
    ],
    [
      'no more than lately, when growing is to be steady',
      [
        4,
        8,
        { behavior: { scaleUp: { stabilizationWindowSeconds: 60 } } },
        { recommendations: [{ replicas: 5, atMs: ago(30) }] },
      ],
      [5, 'ScaleUpStabilized', 'DesiredWithinRange'],
    ],
    [
      'so many pods in a period, counting what was added in it',
      [
        6,
        20,
        { behavior: { scaleUp: { policies: [{ type: 'Pods', value: 3, periodSeconds: 60 }] } } },
        { scaledUp: [{ change: 2, atMs: ago(30) }] },
      ],
      [7, 'ReadyForNewScale', 'ScaleUpLimit'],
    ],
    [
      'the gentlest of several policies',
      [
        10,
        1,
        {
          behavior: {
            scaleDown: {
              stabilizationWindowSeconds: 0,
              selectPolicy: 'Min',
              policies: [
                { type: 'Pods', value: 4, periodSeconds: 60 },
                { type: 'Percent', value: 10, periodSeconds: 60 },
              ],
            },
          },
        },
      ],
      [9, 'ReadyForNewScale', 'ScaleDownLimit'],
    ],
    [
      'nothing at all when disabled',
      [10, 1, { behavior: { scaleDown: { stabilizationWindowSeconds: 0, selectPolicy: 'Disabled' } } }],
      [10, 'ReadyForNewScale', 'ScaleDownLimit'],
    ],
  ])('%s', (_, args, expected) => {
    expect(limit(...(args as Parameters<typeof limit>))).toEqual(expected)
  })
})

describe('scaling', () => {
  const scaleOf = (replicas: number): Scale => ({
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name: 'web' },
    spec: { replicas },
    status: { replicas, selector: 'app=web' },
  })
  const autoscaler: AutoscalingV2HorizontalPodAutoscaler = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', namespace: 'default' },
    spec: specOf({ minReplicas: 2, maxReplicas: 10 }),
  }
  const measured = (replicas: number): Measurement => ({
    type: 'measured',
    replicas,
    title: 'cpu resource utilization (percentage of request)',
    status: { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 90 } } },
  })
  const failed: Measurement = {
    type: 'failed',
    reason: 'FailedGetResourceMetric',
    message: 'failed to get cpu utilization: gone',
    context: 'failed to get cpu resource metric value: ',
  }
  const unselected: SelectionProblem = {
    event: 'SelectorRequired',
    told: 'selector is required',
    reason: 'InvalidSelector',
    message: "the HPA target's scale is missing a selector",
  }
  const plan = (replicas: number, metrics: Measurement[] | SelectionProblem) => {
    const found = planScale({
      autoscaler,
      found: { scale: scaleOf(replicas) },
      measured: metrics,
      history: noHistory,
      nowMs: now,
    })
    const conditions = (found.status.conditions ?? []).map(
      ({ type, status, reason }) => `${type}=${status} ${reason ?? ''}`,
    )
    return { to: found.rescaleTo, why: found.why, conditions, events: found.events.map(({ reason }) => reason) }
  }

  it.each<[string, number, Measurement[] | SelectionProblem, object]>([
    [
      'up',
      3,
      [measured(5)],
      {
        to: 5,
        why: 'cpu resource utilization (percentage of request) above target',
        conditions: [
          'AbleToScale=True SucceededRescale',
          'ScalingActive=True ValidMetricFound',
          'ScalingLimited=False DesiredWithinRange',
        ],
        events: [],
      },
    ],
    [
      'into the range from below',
      1,
      [failed],
      {
        to: 2,
        why: 'Current number of replicas below Spec.MinReplicas',
        conditions: ['AbleToScale=True SucceededRescale'],
        events: [],
      },
    ],
    ['into the range from above', 11, [], { to: 10, why: 'Current number of replicas above Spec.MaxReplicas' }],
    [
      'not from zero',
      0,
      [measured(5)],
      { to: undefined, conditions: ['AbleToScale=True SucceededGetScale', 'ScalingActive=False ScalingDisabled'] },
    ],
    [
      'not when nothing is known',
      3,
      [failed],
      {
        to: undefined,
        conditions: ['AbleToScale=True SucceededGetScale', 'ScalingActive=False FailedGetResourceMetric'],
        events: ['FailedGetResourceMetric', 'FailedComputeMetricsReplicas'],
      },
    ],
    ['not down when something is not known', 5, [measured(2), failed], { to: undefined }],
    ['up all the same', 5, [measured(8), failed], { to: 8 }],
    [
      'not without a selector',
      3,
      unselected,
      {
        to: undefined,
        conditions: ['AbleToScale=True SucceededGetScale', 'ScalingActive=False InvalidSelector'],
        events: ['SelectorRequired', 'FailedComputeMetricsReplicas'],
      },
    ],
  ])('%s', (_, replicas, metrics, expected) => {
    expect(plan(replicas, metrics)).toMatchObject(expected)
  })

  it('keeps the place of a metric that is not known, and names the first', () => {
    const facts = { autoscaler, found: { scale: scaleOf(5) }, history: noHistory, nowMs: now }
    const partly = planScale({ ...facts, measured: [failed, measured(8)] })
    expect(partly.status.currentMetrics?.map(({ type }) => type)).toEqual(['', 'Resource'])
    const none = planScale({ ...facts, measured: [failed] })
    expect(none.events.map(({ message }) => message)).toEqual([
      'failed to get cpu utilization: gone',
      'invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: failed to get cpu utilization: gone',
    ])
  })

  it('says so when the target cannot be read', () => {
    const { status } = planScale({
      autoscaler,
      found: { error: 'gone' },
      measured: undefined,
      history: noHistory,
      nowMs: now,
    })
    expect(status.conditions).toMatchObject([
      {
        type: 'AbleToScale',
        status: 'False',
        reason: 'FailedGetScale',
        message: "the HPA controller was unable to get the target's current scale: gone",
      },
    ])
  })
})
