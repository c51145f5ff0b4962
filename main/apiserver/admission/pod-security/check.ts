// What a check of the Pod Security Standards is, and the words they share.
import type { Container, ObjectMeta, PodSpec } from '../../../../common/api/generated/types.ts'

export interface Violation {
  readonly reason: string
  readonly detail: string
}

export interface PodParts {
  readonly metadata: ObjectMeta
  readonly spec: PodSpec
}

export interface Check {
  readonly level: 'baseline' | 'restricted'
  /** A restricted check says the same and more: this one is left out at that level. */
  readonly covered?: true
  /** Minor version from which on the check is part of the standard. */
  readonly since?: number
  /** Undefined when the pod passes. */
  readonly of: (pod: PodParts, version: number) => Violation | undefined
}

/** All containers, in the order upstream visits them. */
export const containersOf = (spec: PodSpec): Container[] => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
  ...((spec.ephemeralContainers ?? []) as Container[]),
]

export const namesOf = (containers: readonly Container[]): string[] => containers.map(({ name }) => name)

export const quoted = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(', ')

export const plural = (word: string, count: number): string => (count === 1 ? word : `${word}s`)

/** `container "a"` or `containers "a", "b"`. */
export const containerNames = (names: readonly string[]): string =>
  `${plural('container', names.length)} ${quoted(names)}`

export const sortedUnique = (values: readonly string[]): string[] => [...new Set(values)].sort()

/** Whoever set something wrong: the pod, its containers, or both. */
export const settersOf = (pod: boolean, containers: readonly string[]): string =>
  [...(pod ? ['pod'] : []), ...(containers.length > 0 ? [containerNames(containers)] : [])].join(' and ')
