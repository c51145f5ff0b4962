import type { Taint } from '../../../common/api/generated/types.ts'
import type { FilterPlugin, ScorePlugin } from '../framework/plugin.ts'
import { normalizeToMax, rejectForGood } from '../framework/plugin.ts'
import { findUntolerated, tolerates } from '../state/tolerations.ts'

const name = 'TaintToleration'
const rejection = rejectForGood('node(s) had untolerated taint(s)')
export const hardEffects = ['NoSchedule', 'NoExecute']

export const taintFilter: FilterPlugin = {
  name,
  prepare: (pod) => (node) =>
    node.taints.length > 0 && findUntolerated(node.taints, pod.tolerations, hardEffects) !== undefined
      ? rejection
      : undefined,
  mayHelp: (change, pod) =>
    (change.type === 'node-added' || (change.type === 'node-changed' && change.taints)) &&
    findUntolerated(change.node.taints, pod.tolerations, hardEffects) === undefined,
}

/** The fewer PreferNoSchedule taints a pod must overlook, the better. */
export const taintScore: ScorePlugin = {
  name,
  weight: 3,
  prepare(pod) {
    const soft = pod.tolerations.filter(
      ({ effect }) => effect === undefined || effect === '' || effect === 'PreferNoSchedule',
    )
    const overlooked = (taints: readonly Taint[]): number =>
      taints.filter(
        (taint) => taint.effect === 'PreferNoSchedule' && !soft.some((toleration) => tolerates(toleration, taint)),
      ).length
    return {
      score: (node) => (node.taints.length === 0 ? 0 : overlooked(node.taints)),
      normalize: (scores) => {
        normalizeToMax(scores, true)
      },
      reason: (node) => {
        const count = overlooked(node.taints)
        return count === 0 ? undefined : `${String(count)} PreferNoSchedule taint(s) not tolerated`
      },
    }
  },
}
