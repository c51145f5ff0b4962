// Pod affinity terms, compiled, with a key under which equal terms of different pods are counted together.
import type { Pod, PodAffinityTerm } from '../../../common/api/generated/types.ts'
import type { Labels, Selector } from '../../../common/machinery/labels.ts'
import { formatSelector, matchesLabels, nothing, selectorFromObject } from '../../../common/machinery/labels.ts'

export interface CompiledTerm {
  readonly key: string
  readonly topologyKey: string
  readonly selector: Selector
  readonly namespaces: ReadonlySet<string>
  /** Namespaces are also chosen by their labels; undefined: only by name. */
  readonly namespaceSelector: Selector | undefined
  readonly weight: number
}

export interface PodTerms {
  readonly requiredAffinity: readonly CompiledTerm[]
  readonly requiredAntiAffinity: readonly CompiledTerm[]
  /** Anti-affinity has negative weight. */
  readonly preferred: readonly CompiledTerm[]
}

export const noTerms: PodTerms = { requiredAffinity: [], requiredAntiAffinity: [], preferred: [] }

export function podTerms(pod: Pod): PodTerms {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {}
  if (podAffinity === undefined && podAntiAffinity === undefined) return noTerms
  const compile = (term: PodAffinityTerm, weight: number): CompiledTerm => compileTerm(term, pod, weight)
  return {
    requiredAffinity: (podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) =>
      compile(term, 1),
    ),
    requiredAntiAffinity: (podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) =>
      compile(term, 1),
    ),
    preferred: [
      ...(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm, weight }) =>
        compile(podAffinityTerm, weight),
      ),
      ...(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm, weight }) =>
        compile(podAffinityTerm, -weight),
      ),
    ],
  }
}

function compileTerm(term: PodAffinityTerm, pod: Pod, weight: number): CompiledTerm {
  const selector = term.labelSelector === undefined ? nothing : selectorFromObject(term.labelSelector)
  const named = term.namespaces ?? []
  const own = named.length === 0 && term.namespaceSelector === undefined
  const namespaces = own ? [pod.metadata.namespace ?? ''] : named
  const namespaceSelector =
    term.namespaceSelector === undefined ? undefined : selectorFromObject(term.namespaceSelector)
  const key = JSON.stringify([
    term.topologyKey,
    formatSelector(selector),
    term.labelSelector === undefined,
    [...namespaces].sort(),
    namespaceSelector === undefined ? null : formatSelector(namespaceSelector),
    weight,
  ])
  return { key, topologyKey: term.topologyKey, selector, namespaces: new Set(namespaces), namespaceSelector, weight }
}

export type NamespaceLabels = (namespace: string) => Labels | undefined

/** Whether a pod with these labels in this namespace is meant by the term. */
export function termMatches(
  term: CompiledTerm,
  namespace: string,
  labels: Labels | undefined,
  labelsOf: NamespaceLabels,
): boolean {
  const inNamespace =
    term.namespaces.has(namespace) ||
    (term.namespaceSelector !== undefined && matchesLabels(term.namespaceSelector, labelsOf(namespace)))
  return inNamespace && matchesLabels(term.selector, labels)
}
