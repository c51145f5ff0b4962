import type { ScorePlugin } from '../framework/plugin.ts'
import type { NodeState } from '../state/node-state.ts'
import { fullImageName } from './image-name.ts'

const megabyte = 1024 * 1024
/** Below this saving a pull is not worth caring about; above the upper one (per container) more does not count. */
const minBytes = 23 * megabyte
const maxBytesPerContainer = 1_000 * megabyte

/** Prefers nodes that need not pull the pod's images. Images that few nodes have count less, or pods would crowd there. */
export const imageLocalityScore: ScorePlugin = {
  name: 'ImageLocality',
  weight: 1,
  prepare(pod, cluster) {
    if (cluster.imageNodes.size === 0 || pod.images.length === 0) return undefined
    const names = pod.images.map(fullImageName)
    const spread = names.map((name) => (cluster.imageNodes.get(name) ?? 0) / Math.max(1, cluster.nodes.length))
    if (spread.every((part) => part === 0)) return undefined
    const maxBytes = maxBytesPerContainer * names.length
    const score = (node: NodeState): number => {
      let bytes = 0
      for (const [i, name] of names.entries()) bytes += (node.images.get(name) ?? 0) * (spread[i] ?? 0)
      const bounded = Math.min(maxBytes, Math.max(minBytes, bytes))
      return Math.floor((100 * (bounded - minBytes)) / (maxBytes - minBytes))
    }
    return { score, reason: (_node, normalized) => (normalized > 0 ? 'has images of the pod already' : undefined) }
  },
}
