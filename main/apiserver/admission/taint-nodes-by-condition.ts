// TaintNodesByCondition: a new node is not ready until its conditions say so.
import type { Node } from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { type AdmissionPlugin, concernsCore, isCreate } from './admission.ts'

const taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }

export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  concerns: concernsCore('nodes'),
  mutate(attributes) {
    if (!isCreate(attributes)) return false
    const node = attributes.object as KubeObject & Node
    const taints = node.spec?.taints ?? []
    if (taints.some(({ key, effect }) => key === taint.key && effect === taint.effect)) return false
    node.spec = { ...node.spec, taints: [...taints, taint] }
    return true
  },
}
