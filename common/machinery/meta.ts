// The shape every API object shares. Concrete types come from common/api (generated for Kubernetes, hand-written for lab.orrery.dev).
import type { LabelSelector, ObjectMeta, OwnerReference } from '../api/generated/types.ts'
export type { LabelSelector, ObjectMeta, OwnerReference }

export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
}

/** An object whose body is not known at compile time (custom resources, generic code). */
export interface UnstructuredObject extends KubeObject {
  [field: string]: unknown
}

export interface KubeList<T extends KubeObject = KubeObject> {
  apiVersion: string
  kind: string
  metadata: { resourceVersion?: string; continue?: string; remainingItemCount?: number }
  items: T[]
}

export type WatchEvent<T extends KubeObject = KubeObject> =
  { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T } | { type: 'BOOKMARK'; object: KubeObject }

export interface GroupVersionKind {
  group: string
  version: string
  kind: string
}

export interface GroupVersionResource {
  group: string
  version: string
  resource: string
}

/** "v1" -> {group: "", version: "v1"}; "apps/v1" -> {group: "apps", version: "v1"}. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/')
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}

export function formatApiVersion(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`
}

/** "namespace/name", or "name" for cluster-scoped objects: the key of caches and work queues. */
export function objectKey(object: { metadata: ObjectMeta }): string {
  const { namespace, name = '' } = object.metadata
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`
}
