// How many pods with which labels are on which node. Pods with equal labels (those of one replica set) share one entry, so counting
// the pods that a selector means costs as many steps as there are different sets of labels, not pods.
import type { Labels, Selector } from '../../../common/machinery/labels.ts'
import { matchesLabels } from '../../../common/machinery/labels.ts'
import type { PodFacts } from './pod-facts.ts'

export interface NodeCounts {
  readonly all: Map<string, number>
  /** Without pods that are being deleted. */
  readonly living: Map<string, number>
}

interface Group {
  readonly labels: Labels | undefined
  readonly counts: NodeCounts
}

export class LabelCounts {
  readonly #namespaces = new Map<string, Map<string, Group>>()

  add(pod: PodFacts, node: string): void {
    this.#count(pod, node, 1)
  }

  remove(pod: PodFacts, node: string): void {
    this.#count(pod, node, -1)
  }

  /** The groups of a namespace that the selector means; add up their counts. */
  matching(namespace: string, selector: Selector): NodeCounts[] {
    const groups = this.#namespaces.get(namespace)
    if (groups === undefined) return []
    const found: NodeCounts[] = []
    for (const group of groups.values()) if (matchesLabels(selector, group.labels)) found.push(group.counts)
    return found
  }

  /** The groups of all namespaces that pass the test: for selectors that reach beyond one namespace. */
  where(test: (namespace: string, labels: Labels | undefined) => boolean): NodeCounts[] {
    const found: NodeCounts[] = []
    for (const [namespace, groups] of this.#namespaces) {
      for (const group of groups.values()) if (test(namespace, group.labels)) found.push(group.counts)
    }
    return found
  }

  #count(pod: PodFacts, node: string, by: 1 | -1): void {
    let groups = this.#namespaces.get(pod.namespace)
    if (groups === undefined) {
      groups = new Map()
      this.#namespaces.set(pod.namespace, groups)
    }
    let group = groups.get(pod.labelsKey)
    if (group === undefined) {
      group = { labels: pod.pod.metadata.labels, counts: { all: new Map(), living: new Map() } }
      groups.set(pod.labelsKey, group)
    }
    change(group.counts.all, node, by)
    if (pod.pod.metadata.deletionTimestamp === undefined) change(group.counts.living, node, by)
    if (group.counts.all.size === 0) {
      groups.delete(pod.labelsKey)
      if (groups.size === 0) this.#namespaces.delete(pod.namespace)
    }
  }
}

export function change(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by
  if (count > 0) counts.set(key, count)
  else counts.delete(key)
}

export const sumOn = (groups: readonly NodeCounts[], node: string, which: 'all' | 'living'): number =>
  groups.reduce((sum, group) => sum + (group[which].get(node) ?? 0), 0)
