// Labels of nodes that have newer names.
import type { NodeSelectorTerm } from '../../../common/api/generated/types.ts'

export const deprecatedNodeLabels: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
}

/** About a selector given as a plain map. */
export const labelMapWarnings = (path: string, labels: Readonly<Record<string, string>> = {}): string[] =>
  Object.keys(labels).flatMap((key) => {
    const message = deprecatedNodeLabels[key]
    return message === undefined ? [] : [`${path}[${key}]: ${message}`]
  })

export const selectorTermWarnings = (path: string, term: NodeSelectorTerm | undefined): string[] =>
  (term?.matchExpressions ?? []).flatMap(({ key }, index) => {
    const message = deprecatedNodeLabels[key]
    return message === undefined ? [] : [`${path}.matchExpressions[${String(index)}].key: ${key} is ${message}`]
  })
