// The scheduler's picture of the cluster: what the informers say plus the pods it has just placed and not yet seen back ("assumed").
// All changes are incremental; nothing here walks over pods.
import type { Node } from '../../../common/api/generated/types.ts'
import type { NamespaceLabels } from './affinity-terms.ts'
import { LabelCounts, change } from './label-counts.ts'
import { NodeState } from './node-state.ts'
import { Nominations } from './nominations.ts'
import type { PodFacts } from './pod-facts.ts'
import { TermCounts } from './term-counts.ts'

export class ClusterState {
  readonly #nodes = new Map<string, NodeState>()
  /** Node states that have a Node object, in stable order. */
  #present: NodeState[] = []
  /** Where each known pod counts, by UID. */
  readonly #placed = new Map<string, { facts: PodFacts; node: string; assumed: boolean }>()
  readonly nominations = new Nominations()
  readonly labels = new LabelCounts()
  readonly requiredAffinity = new TermCounts()
  readonly requiredAntiAffinity = new TermCounts()
  readonly preferredAffinity = new TermCounts()
  /** Image name -> nodes that have it. */
  readonly imageNodes = new Map<string, number>()
  readonly namespaceLabels: NamespaceLabels
  /** Key of a claim -> placed pods that use it. */
  readonly #claimUsers = new Map<string, number>()

  constructor(namespaceLabels: NamespaceLabels = () => undefined) {
    this.namespaceLabels = namespaceLabels
  }

  /** Nodes that exist, in stable order. */
  get nodes(): readonly NodeState[] {
    return this.#present
  }

  node(name: string): NodeState | undefined {
    return this.#nodes.get(name)
  }

  claimUsers(key: string): number {
    return this.#claimUsers.get(key) ?? 0
  }

  setNode(node: Node): void {
    const name = node.metadata.name ?? ''
    const state = this.#stateOf(name)
    if (state.node === undefined) this.#present.push(state)
    this.#countImages(state, -1)
    state.setNode(node)
    this.#countImages(state, 1)
  }

  removeNode(name: string): void {
    const state = this.#nodes.get(name)
    if (state?.node === undefined) return
    this.#countImages(state, -1)
    state.setNode(undefined)
    this.#present = this.#present.filter((present) => present !== state)
    if (state.pods.size === 0) this.#nodes.delete(name)
  }

  isAssumed(uid: string): boolean {
    return this.#placed.get(uid)?.assumed === true
  }

  /** Counts the pod on the node before the API has confirmed it. */
  assume(facts: PodFacts, node: string): void {
    this.#place(facts, node, true)
  }

  /** Takes back an assumption whose binding failed. A pod that the API has confirmed stays. */
  forget(uid: string): void {
    if (this.isAssumed(uid)) this.#unplace(uid)
  }

  /** A pod that the API says is on a node (also: a changed one). */
  setPod(facts: PodFacts, node: string): void {
    this.#unplace(facts.uid)
    this.#place(facts, node, false)
  }

  removePod(uid: string): void {
    this.#unplace(uid)
  }

  /** Takes the pod away for a moment, to see what would be without it; returns what puts it back. */
  lift(uid: string): () => void {
    const placed = this.#placed.get(uid)
    if (placed === undefined) return () => undefined
    this.#unplace(uid)
    return () => {
      this.#place(placed.facts, placed.node, placed.assumed)
    }
  }

  #place(facts: PodFacts, node: string, assumed: boolean): void {
    this.#placed.set(facts.uid, { facts, node, assumed })
    this.#stateOf(node).add(facts)
    this.labels.add(facts, node)
    this.requiredAffinity.add(facts.terms.requiredAffinity, node)
    this.requiredAntiAffinity.add(facts.terms.requiredAntiAffinity, node)
    this.preferredAffinity.add(facts.terms.preferred, node)
    for (const { key } of facts.claims) change(this.#claimUsers, key, 1)
  }

  #unplace(uid: string): void {
    const placed = this.#placed.get(uid)
    if (placed === undefined) return
    const { facts, node } = placed
    this.#placed.delete(uid)
    const state = this.#nodes.get(node)
    state?.remove(facts)
    if (state !== undefined && state.node === undefined && state.pods.size === 0) this.#nodes.delete(node)
    this.labels.remove(facts, node)
    this.requiredAffinity.remove(facts.terms.requiredAffinity, node)
    this.requiredAntiAffinity.remove(facts.terms.requiredAntiAffinity, node)
    this.preferredAffinity.remove(facts.terms.preferred, node)
    for (const { key } of facts.claims) change(this.#claimUsers, key, -1)
  }

  #countImages(state: NodeState, by: 1 | -1): void {
    for (const name of state.images.keys()) change(this.imageNodes, name, by)
  }

  #stateOf(name: string): NodeState {
    let state = this.#nodes.get(name)
    if (state === undefined) {
      state = new NodeState(name)
      this.#nodes.set(name, state)
    }
    return state
  }
}
