// What a scheduler plugin is. A plugin prepares once per pod and is then asked node by node; both must be quick and pure.
import type { ResourceV1ResourceClaim } from '../../../common/api/generated/types.ts'
import type { ClusterState } from '../state/cluster-state.ts'
import type { NodeState } from '../state/node-state.ts'
import type { PodFacts } from '../state/pod-facts.ts'

/** Why a node is not possible. Reasons of the same text are counted together in the pod's condition, so they name no node. */
export interface Rejection {
  readonly reasons: readonly string[]
  /** Removing pods from the node would not help. */
  readonly unresolvable: boolean
}

export const reject = (...reasons: string[]): Rejection => ({ reasons, unresolvable: false })
export const rejectForGood = (...reasons: string[]): Rejection => ({ reasons, unresolvable: true })

export type NodeFilter = (node: NodeState) => Rejection | undefined

/** Changes that may make an unschedulable pod schedulable. */
export type ClusterChange =
  | { type: 'node-added'; node: NodeState }
  | { type: 'node-changed'; node: NodeState; allocatable: boolean; labels: boolean; taints: boolean }
  | { type: 'pod-placed'; pod: PodFacts }
  | { type: 'pod-removed'; pod: PodFacts }
  /** In place: it may need less now. */
  | { type: 'pod-resized'; pod: PodFacts }
  | { type: 'images-changed' }
  | { type: 'claim-changed'; key: string }
  /** Volumes, storage classes or drivers of nodes. */
  | { type: 'storage-changed' }
  | { type: 'namespace-changed' }
  /** Without `claim`: it is gone. */
  | { type: 'device-claim-changed'; claim?: ResourceV1ResourceClaim; old?: ResourceV1ResourceClaim }
  /** Devices on offer, or their classes. */
  | { type: 'devices-changed' }

export interface FilterPlugin {
  readonly name: string
  /** The pod need not even be tried yet: something that it names is still to come. */
  isWaiting?(pod: PodFacts): boolean
  /** Why no node at all is possible, whatever nodes there are; asked first. */
  impossible?(pod: PodFacts, cluster: ClusterState): string | undefined
  /** The filter for this pod; undefined when the plugin has nothing to say about it. */
  prepare(pod: PodFacts, cluster: ClusterState): NodeFilter | undefined
  /** Whether the change may lift a rejection that this plugin gave the pod. */
  mayHelp(change: ClusterChange, pod: PodFacts): boolean
}

export interface NodeScorer {
  /** Any number; `normalize` brings all of them to 0-100. */
  score(node: NodeState): number
  /** In place. Absent: scores are 0-100 already. */
  normalize?(scores: number[], nodes: readonly NodeState[]): void
  /** A few words on a node's score, for people. */
  reason?(node: NodeState, normalized: number): string | undefined
}

export interface ScorePlugin {
  readonly name: string
  readonly weight: number
  /** `nodes` are those that passed all filters. Undefined: nothing to say about this pod. */
  prepare(pod: PodFacts, cluster: ClusterState, nodes: readonly NodeState[]): NodeScorer | undefined
}

/** Largest score becomes 100; with `reverse` the largest becomes 0. */
export function normalizeToMax(scores: number[], reverse: boolean): void {
  let max = 0
  for (const score of scores) if (score > max) max = score
  for (let i = 0; i < scores.length; i++) {
    const part = max === 0 ? 0 : Math.floor((100 * (scores[i] ?? 0)) / max)
    scores[i] = reverse ? 100 - part : part
  }
}
