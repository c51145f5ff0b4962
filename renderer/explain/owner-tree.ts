// Owner references as a tree: up to whoever made this object, down to everything it made.
import type { KubeObject } from '../../common/machinery/meta.ts'

export interface OwnerNode {
  uid: string
  kind: string
  apiVersion: string
  name: string
  namespace?: string
  /** Absent when the owner is referred to but not among the objects known here. */
  object?: KubeObject
  children: OwnerNode[]
}

/** The whole tree that contains `start`, from its topmost known owner. Cycles and owners that are gone are survived. */
export function ownerTree(start: KubeObject, objects: Iterable<KubeObject>): OwnerNode {
  const byUid = new Map<string, KubeObject>()
  const childrenOf = new Map<string, KubeObject[]>()
  for (const object of objects) {
    byUid.set(uidOf(object), object)
    for (const owner of object.metadata.ownerReferences ?? []) {
      const list = childrenOf.get(owner.uid)
      if (list === undefined) childrenOf.set(owner.uid, [object])
      else list.push(object)
    }
  }
  byUid.set(uidOf(start), start)

  let top = start
  let missing: OwnerNode | undefined
  const climbed = new Set([uidOf(start)])
  for (;;) {
    const owner = controllerOf(top)
    if (owner === undefined) break
    const object = byUid.get(owner.uid)
    if (object === undefined) {
      missing = {
        uid: owner.uid,
        kind: owner.kind,
        apiVersion: owner.apiVersion,
        name: owner.name,
        namespace: top.metadata.namespace,
        children: [],
      }
      break
    }
    if (climbed.has(owner.uid)) break
    climbed.add(owner.uid)
    top = object
  }

  const seen = new Set<string>()
  const descend = (object: KubeObject): OwnerNode => {
    seen.add(uidOf(object))
    const children = (childrenOf.get(uidOf(object)) ?? []).filter((child) => !seen.has(uidOf(child)))
    children.sort(byCreationNewestFirst)
    return {
      uid: uidOf(object),
      kind: object.kind,
      apiVersion: object.apiVersion,
      name: object.metadata.name ?? '',
      namespace: object.metadata.namespace,
      object,
      children: children.map(descend),
    }
  }
  const tree = descend(top)
  if (missing === undefined) return tree
  missing.children.push(tree)
  return missing
}

export const controllerOf = (
  object: KubeObject,
): NonNullable<KubeObject['metadata']['ownerReferences']>[number] | undefined =>
  object.metadata.ownerReferences?.find((owner) => owner.controller === true) ?? object.metadata.ownerReferences?.[0]

const uidOf = (object: KubeObject): string => object.metadata.uid ?? ''

function byCreationNewestFirst(a: KubeObject, b: KubeObject): number {
  const time = (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '')
  return time !== 0 ? time : (a.metadata.name ?? '').localeCompare(b.metadata.name ?? '')
}
