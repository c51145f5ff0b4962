// Who owns whom, over all resources of the cluster. Pure bookkeeping: it says which objects should be looked at, and does nothing else.
import type { KubeObject, OwnerReference } from '../../../common/machinery/meta.ts'
import type { ResourceRef } from '../../../common/client/client.ts'

export const orphanFinalizer = 'orphan'
export const foregroundFinalizer = 'foregroundDeletion'

export interface GraphNode {
  readonly uid: string
  ref: ResourceRef
  namespace: string | undefined
  name: string
  owners: readonly OwnerReference[]
  readonly dependents: Set<GraphNode>
  /** Only known from an owner reference; whether it exists must be asked. */
  virtual: boolean
  deleting: boolean
  /** Foreground deletion: it goes after its blocking dependents. */
  deletingDependents: boolean
  /** Background dependents stay behind and lose their reference. */
  orphaning: boolean
}

/** Resolves an owner reference's apiVersion and kind; undefined when the server has no such kind. */
export type KindResolver = (apiVersion: string, kind: string) => ResourceRef | undefined

export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>()
  /** Objects with an owner of a kind that is not known (yet): no link could be made. */
  readonly #unlinked = new Set<GraphNode>()
  readonly #resolve: KindResolver
  readonly #look: (uid: string) => void

  /** `look` is called with the UID of every node that should be reconciled. */
  constructor(options: { resolve: KindResolver; look: (uid: string) => void }) {
    this.#resolve = options.resolve
    this.#look = options.look
  }

  get size(): number {
    return this.#nodes.size
  }

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid)
  }

  /** An object as an informer shows it. Quick when nothing about ownership has changed, which is nearly always. */
  observe(object: KubeObject, ref: ResourceRef): void {
    const {
      uid,
      namespace,
      name = '',
      ownerReferences: owners = [],
      deletionTimestamp,
      finalizers = [],
    } = object.metadata
    if (uid === undefined) return
    let node = this.#nodes.get(uid)
    const isNew = node === undefined || node.virtual
    if (node === undefined) {
      node = this.#insert(uid, { ref, namespace, name, virtual: false })
    } else if (node.virtual) {
      Object.assign(node, { ref, namespace, name, virtual: false })
      for (const dependent of node.dependents) if (!isMeant(node, dependent)) this.#look(dependent.uid)
    }
    if (!sameOwners(node.owners, owners)) this.#setOwners(node, owners)
    // Owners may have vanished while this object was on its way, and nobody will tell again.
    if (isNew && owners.length > 0 && owners.some((owner) => this.#nodes.get(owner.uid)?.virtual !== false))
      this.#look(uid)
    this.#setDeletion(node, deletionTimestamp !== undefined, finalizers)
  }

  /** Links and looks at every object whose owner nobody has seen: for when kinds have become known of which nothing could be said before. */
  lookAtOrphans(): void {
    const unlinked = [...this.#unlinked]
    this.#unlinked.clear()
    for (const node of unlinked) for (const owner of node.owners) this.#link(node, owner)
    for (const node of this.#nodes.values())
      if (node.virtual) for (const dependent of node.dependents) this.#look(dependent.uid)
  }

  /** The object is gone. */
  remove(uid: string): void {
    const node = this.#nodes.get(uid)
    if (node === undefined) return
    this.#nodes.delete(uid)
    this.#unlinked.delete(node)
    this.#setOwners(node, [])
    for (const dependent of node.dependents) this.#look(dependent.uid)
    // Dependents that still name it keep it as a question, so that the last of them removes it.
    if (node.dependents.size > 0) {
      const ghost = this.#insert(uid, { ref: node.ref, namespace: node.namespace, name: node.name, virtual: true })
      for (const dependent of node.dependents) ghost.dependents.add(dependent)
    }
  }

  blockers(node: GraphNode): GraphNode[] {
    return [...node.dependents].filter((dependent) =>
      dependent.owners.some((owner) => owner.uid === node.uid && owner.blockOwnerDeletion === true),
    )
  }

  #insert(uid: string, facts: Pick<GraphNode, 'ref' | 'namespace' | 'name' | 'virtual'>): GraphNode {
    const node: GraphNode = {
      uid,
      ...facts,
      owners: [],
      dependents: new Set(),
      deleting: false,
      deletingDependents: false,
      orphaning: false,
    }
    this.#nodes.set(uid, node)
    return node
  }

  #setOwners(node: GraphNode, owners: readonly OwnerReference[]): void {
    const before = node.owners
    node.owners = owners
    for (const owner of before) {
      const ownerNode = this.#nodes.get(owner.uid)
      if (ownerNode === undefined) continue
      const still = owners.find(({ uid }) => uid === owner.uid)
      if (still === undefined) ownerNode.dependents.delete(node)
      // It may have been the last thing that a foreground deletion waited for.
      if (ownerNode.deletingDependents && still?.blockOwnerDeletion !== true) this.#look(owner.uid)
      if (ownerNode.virtual && ownerNode.dependents.size === 0) this.#nodes.delete(owner.uid)
    }
    for (const owner of owners) this.#link(node, owner)
  }

  #link(node: GraphNode, owner: OwnerReference): void {
    const known = this.#nodes.get(owner.uid)
    if (known !== undefined) {
      known.dependents.add(node)
      if (!known.virtual && !isMeant(known, node)) this.#look(node.uid)
      return
    }
    const ref = this.#resolve(owner.apiVersion, owner.kind)
    if (ref === undefined) {
      this.#unlinked.add(node)
      return
    }
    const namespace = ref.namespaced ? node.namespace : undefined
    this.#insert(owner.uid, { ref, namespace, name: owner.name, virtual: true }).dependents.add(node)
    this.#look(owner.uid)
  }

  #setDeletion(node: GraphNode, deleting: boolean, finalizers: readonly string[]): void {
    const deletingDependents = deleting && finalizers.includes(foregroundFinalizer)
    const orphaning = deleting && finalizers.includes(orphanFinalizer)
    const changed = deletingDependents !== node.deletingDependents || orphaning !== node.orphaning
    Object.assign(node, { deleting, deletingDependents, orphaning })
    if (!changed) return
    if (deletingDependents) for (const dependent of node.dependents) this.#look(dependent.uid)
    if (deletingDependents || orphaning) this.#look(node.uid)
  }
}

/** False when the dependent's reference has the owner's UID, but names another object: the owner that it means does not exist. */
function isMeant(owner: GraphNode, dependent: GraphNode): boolean {
  const reference = dependent.owners.find(({ uid }) => uid === owner.uid)
  if (reference === undefined) return true
  return reference.name === owner.name && (!owner.ref.namespaced || owner.namespace === dependent.namespace)
}

function sameOwners(a: readonly OwnerReference[], b: readonly OwnerReference[]): boolean {
  if (a === b) return true
  return (
    a.length === b.length &&
    a.every((owner, i) => {
      const other = b[i]
      return (
        owner.uid === other?.uid &&
        owner.blockOwnerDeletion === other.blockOwnerDeletion &&
        owner.controller === other.controller
      )
    })
  )
}
