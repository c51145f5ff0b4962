import type { FilterPlugin } from '../framework/plugin.ts'
import { rejectForGood } from '../framework/plugin.ts'

const rejection = rejectForGood("node(s) didn't match the requested node name")

export const nodeName: FilterPlugin = {
  name: 'NodeName',
  prepare(pod) {
    const wanted = pod.pod.spec?.nodeName
    if (wanted === undefined || wanted === '') return undefined
    return (node) => (node.name === wanted ? undefined : rejection)
  },
  mayHelp: (change) => change.type === 'node-added',
}
