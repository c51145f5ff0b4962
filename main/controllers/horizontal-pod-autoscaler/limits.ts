// Pure: what becomes of a recommendation: steadied over a window, and held to the allowed pace and range.
import type {
  AutoscalingV2HorizontalPodAutoscalerSpec,
  HPAScalingPolicy,
  HPAScalingRules,
} from '../../../common/api/generated/types.ts'

export interface Recommendation {
  replicas: number
  atMs: number
}
/** Replicas added or removed by one rescale. */
export interface ScaleEvent {
  change: number
  atMs: number
}
export interface ScalingHistory {
  recommendations: readonly Recommendation[]
  scaledUp: readonly ScaleEvent[]
  scaledDown: readonly ScaleEvent[]
}

export interface Limited {
  replicas: number
  able: { reason: string; message: string }
  limited: { status: 'True' | 'False'; reason: string; message: string }
}

const downscaleWindowMs = 300_000

/** What rules say that are not written. */
const defaultUp: HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
}
const defaultDown: HPAScalingRules = {
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
}

export interface LimitFacts {
  spec: AutoscalingV2HorizontalPodAutoscalerSpec
  current: number
  desired: number
  history: ScalingHistory
  nowMs: number
}

export function limitReplicas(facts: LimitFacts): Limited {
  const steady = stabilize(facts)
  const range = holdToRange({ ...facts, desired: steady.replicas })
  return { ...range, able: steady.able }
}

function stabilize({ spec, current, desired, history, nowMs }: LimitFacts): Pick<Limited, 'replicas' | 'able'> {
  const windowOf = (rules: HPAScalingRules | undefined, otherwise: number): number =>
    rules?.stabilizationWindowSeconds === undefined ? otherwise : rules.stabilizationWindowSeconds * 1000
  const upWindow = windowOf(spec.behavior?.scaleUp, 0)
  const downWindow = windowOf(spec.behavior?.scaleDown, downscaleWindowMs)
  const within = (windowMs: number): number[] =>
    history.recommendations.filter(({ atMs }) => atMs > nowMs - windowMs).map(({ replicas }) => replicas)
  const lowest = Math.min(desired, ...within(upWindow))
  const highest = Math.max(desired, ...within(downWindow))
  const replicas = Math.min(Math.max(current, lowest), highest)
  if (replicas === desired)
    return { replicas, able: { reason: 'ReadyForNewScale', message: 'recommended size matches current size' } }
  if (replicas > desired) {
    const message = 'recent recommendations were higher than current one, applying the highest recent recommendation'
    return { replicas, able: { reason: 'ScaleDownStabilized', message } }
  }
  const message = 'recent recommendations were lower than current one, applying the lowest recent recommendation'
  return { replicas, able: { reason: 'ScaleUpStabilized', message } }
}

function holdToRange(facts: LimitFacts): Pick<Limited, 'replicas' | 'limited'> {
  const { spec, current, desired } = facts
  const min = spec.minReplicas ?? 1
  const max = spec.maxReplicas
  const limited = (replicas: number, reason: string, message: string): Pick<Limited, 'replicas' | 'limited'> => ({
    replicas,
    limited: { status: 'True', reason, message },
  })
  if (desired > current) {
    const pace = upLimit(facts)
    if (desired > Math.min(pace, max)) {
      return pace < max
        ? limited(pace, 'ScaleUpLimit', 'the desired replica count is increasing faster than the maximum scale rate')
        : limited(max, 'TooManyReplicas', 'the desired replica count is more than the maximum replica count')
    }
  } else if (desired < current) {
    const pace = downLimit(facts)
    if (desired < Math.max(pace, min)) {
      return pace > min
        ? limited(pace, 'ScaleDownLimit', 'the desired replica count is decreasing faster than the maximum scale rate')
        : limited(min, 'TooFewReplicas', 'the desired replica count is less than the minimum replica count')
    }
  }
  const message = 'the desired count is within the acceptable range'
  return { replicas: desired, limited: { status: 'False', reason: 'DesiredWithinRange', message } }
}

const changedWithin = (events: readonly ScaleEvent[], { periodSeconds }: HPAScalingPolicy, nowMs: number): number =>
  events.filter(({ atMs }) => atMs > nowMs - periodSeconds * 1000).reduce((sum, { change }) => sum + change, 0)

/** Replicas at the start of the policy's period. */
const startOf = ({ current, history, nowMs }: LimitFacts, policy: HPAScalingPolicy): number =>
  current - changedWithin(history.scaledUp, policy, nowMs) + changedWithin(history.scaledDown, policy, nowMs)

function upLimit(facts: LimitFacts): number {
  const rules = { ...defaultUp, ...facts.spec.behavior?.scaleUp }
  // Without rules of its own an autoscaler may double, and that in one go.
  if (facts.spec.behavior === undefined) return Math.max(2 * facts.current, 4)
  if (rules.selectPolicy === 'Disabled') return facts.current
  const limits = (rules.policies ?? []).map((policy) => {
    const start = startOf(facts, policy)
    return policy.type === 'Pods' ? start + policy.value : Math.ceil(start * (1 + policy.value / 100))
  })
  const pick = rules.selectPolicy === 'Min' ? Math.min : Math.max
  return Math.max(facts.current, pick(...limits))
}

function downLimit(facts: LimitFacts): number {
  const rules = { ...defaultDown, ...facts.spec.behavior?.scaleDown }
  if (facts.spec.behavior === undefined) return 0
  if (rules.selectPolicy === 'Disabled') return facts.current
  const limits = (rules.policies ?? []).map((policy) => {
    const start = startOf(facts, policy)
    return policy.type === 'Pods' ? start - policy.value : Math.trunc(start * (1 - policy.value / 100))
  })
  const pick = rules.selectPolicy === 'Min' ? Math.max : Math.min
  return Math.min(facts.current, pick(...limits))
}
