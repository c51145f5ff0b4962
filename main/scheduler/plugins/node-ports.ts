import type { FilterPlugin } from '../framework/plugin.ts'
import { reject } from '../framework/plugin.ts'

const rejection = reject("node(s) didn't have free ports for the requested pod ports")

export const nodePorts: FilterPlugin = {
  name: 'NodePorts',
  prepare({ hostPorts }) {
    if (hostPorts.length === 0) return undefined
    return (node) => (node.hasPortConflict(hostPorts) ? rejection : undefined)
  },
  mayHelp: (change) =>
    change.type === 'node-added' || (change.type === 'pod-removed' && change.pod.hostPorts.length > 0),
}
