import type { ScorePlugin } from '../framework/plugin.ts'
import type { NodeState } from '../state/node-state.ts'

/** Prefers nodes where cpu and memory would be used to the same part, so that neither is left over alone. */
export const balancedAllocationScore: ScorePlugin = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  prepare({ requests }) {
    // A pod that asks for nothing cannot change any balance.
    if (requests.cpuMillis === 0 && requests.memory === 0) return undefined
    const part = (total: number, used: number): number => Math.min(1, used / total)
    const score = ({ allocatable, requested }: NodeState): number => {
      if (allocatable.cpuMillis === 0 || allocatable.memory === 0) return 100
      const cpu = part(allocatable.cpuMillis, requested.cpuMillis + requests.cpuMillis)
      const memory = part(allocatable.memory, requested.memory + requests.memory)
      return Math.floor((1 - Math.abs(cpu - memory) / 2) * 100)
    }
    return { score }
  },
}
