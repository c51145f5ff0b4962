// Pure: on which nodes a daemon set's pod belongs, and how the pod is tied to its node.
import type { DaemonSet, Node, Pod, PodSpec, Toleration } from '../../../common/api/generated/types.ts'
import { requiredNodes } from '../../scheduler/state/node-selection.ts'
import { findUntolerated } from '../../scheduler/state/tolerations.ts'

/** What every daemon tolerates: it should be there before, and stay while, the node is in trouble. */
const daemonTolerations: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
]
const hostNetworkToleration: Toleration = {
  key: 'node.kubernetes.io/network-unavailable',
  operator: 'Exists',
  effect: 'NoSchedule',
}

export interface Placement {
  shouldRun: boolean
  /** A pod that is there may stay although none would be started. */
  shouldContinue: boolean
}

export function tolerationsOf(spec: PodSpec | undefined): Toleration[] {
  const own = spec?.tolerations ?? []
  const added = spec?.hostNetwork === true ? [...daemonTolerations, hostNetworkToleration] : daemonTolerations
  const known = (toleration: Toleration): boolean =>
    own.some(
      ({ key, operator, effect, value }) =>
        key === toleration.key &&
        operator === toleration.operator &&
        effect === toleration.effect &&
        value === toleration.value,
    )
  return [...own, ...added.filter((toleration) => !known(toleration))]
}

/** Compiled once per daemon set, asked per node. */
export function placementOf(daemonSet: DaemonSet): (node: Node) => Placement {
  const spec = daemonSet.spec?.template.spec
  const tolerations = tolerationsOf(spec)
  const template: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec }
  const matches = requiredNodes(template)
  return (node) => {
    const named = spec?.nodeName === undefined || spec.nodeName === '' || spec.nodeName === node.metadata.name
    if (!named || matches?.(node) === false) return { shouldRun: false, shouldContinue: false }
    const taints = node.spec?.taints ?? []
    if (findUntolerated(taints, tolerations, ['NoSchedule', 'NoExecute']) === undefined)
      return { shouldRun: true, shouldContinue: true }
    return { shouldRun: false, shouldContinue: findUntolerated(taints, tolerations, ['NoExecute']) === undefined }
  }
}

/** The pod spec for one node: the scheduler places it, but can place it nowhere else. */
export function specForNode(spec: PodSpec | undefined, nodeName: string): PodSpec {
  const base: PodSpec = spec ?? { containers: [] }
  const onlyHere = {
    nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [nodeName] }] }],
  }
  return {
    ...base,
    tolerations: tolerationsOf(spec),
    affinity: {
      ...base.affinity,
      nodeAffinity: { ...base.affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: onlyHere },
    },
  }
}

/** The node a daemon pod is for, also before it is placed. */
export function nodeOfPod(pod: Pod): string | undefined {
  const placed = pod.spec?.nodeName
  if (placed !== undefined && placed !== '') return placed
  const terms =
    pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  for (const { matchFields = [] } of terms) {
    const [field] = matchFields
    if (
      matchFields.length === 1 &&
      field?.key === 'metadata.name' &&
      field.operator === 'In' &&
      field.values?.length === 1
    )
      return field.values[0]
  }
  return undefined
}
