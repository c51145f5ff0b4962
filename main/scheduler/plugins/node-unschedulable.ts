import type { FilterPlugin } from '../framework/plugin.ts'
import { rejectForGood } from '../framework/plugin.ts'
import { tolerates } from '../state/tolerations.ts'

const rejection = rejectForGood('node(s) were unschedulable')
const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

/** Keeps pods off cordoned nodes, unless they tolerate the taint that stands for being cordoned. */
export const nodeUnschedulable: FilterPlugin = {
  name: 'NodeUnschedulable',
  prepare(pod) {
    if (pod.tolerations.some((toleration) => tolerates(toleration, taint))) return undefined
    return (node) => (node.node?.spec?.unschedulable === true ? rejection : undefined)
  },
  mayHelp: (change) =>
    (change.type === 'node-added' || (change.type === 'node-changed' && change.taints)) &&
    change.node.node?.spec?.unschedulable !== true,
}
