// Sets of field paths in the form in which managedFields carries them (FieldsV1), worked on as they are: nested objects keyed by
// path element, "f:name", "k:{keys}", "v:value". A node without children is a member; one with children is a member when it has ".".
// Every key is prefixed, so no key of a user reaches a prototype. All functions are pure. Source: structured-merge-diff fieldpath.

export interface FieldSet {
  readonly [element: string]: FieldSet
}

interface Building {
  [element: string]: Building
}

export const emptySet: FieldSet = {}
const leaf: FieldSet = {}

export const isEmptySet = (set: FieldSet): boolean => {
  for (const _ in set) return false
  return true
}

/** Whether the node itself, not only something below it, belongs to the set. */
export const isMember = (node: FieldSet | undefined): boolean =>
  node !== undefined && (node['.'] !== undefined || isEmptySet(node))

function* elements(node: FieldSet): Generator<string> {
  for (const element in node) if (element !== '.') yield element
}

/** The node for given membership and children; undefined when there is nothing to say. */
function build(member: boolean, children: Building): FieldSet | undefined {
  if (isEmptySet(children)) return member ? leaf : undefined
  return member ? { '.': leaf, ...children } : children
}

/** The set of one path. */
export function setOfPath(path: readonly string[]): FieldSet {
  let set: FieldSet = leaf
  for (const element of [...path].reverse()) set = { [element]: set }
  return set
}

/** Children collected one by one into a set. */
export class SetBuilder {
  readonly #children: Building = {}
  #member = false

  /** Adds the node for one element. */
  add(element: string, node: FieldSet | undefined): void {
    if (node === undefined) return
    const old = this.#children[element]
    this.#children[element] = old === undefined ? node : unionNodes(old, node)
  }

  markMember(): void {
    this.#member = true
  }

  node(): FieldSet | undefined {
    return build(this.#member, this.#children)
  }

  set(): FieldSet {
    return build(false, this.#children) ?? emptySet
  }
}

function unionNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a
  const children: Building = {}
  for (const element of elements(a)) children[element] = a[element] as Building
  for (const element of elements(b)) {
    const old = children[element]
    children[element] = (old === undefined ? b[element] : unionNodes(old, b[element] as FieldSet)) as Building
  }
  return build(isMember(a) || isMember(b), children) ?? leaf
}

/** Roots are sets, not members: an empty root is the empty set. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a)) return b
  return isEmptySet(b) ? a : unionNodes(a, b)
}

/** Paths of `a` that are not themselves in `b` (what lies below a path of `b` stays). Untouched parts are shared. */
export const difference = (a: FieldSet, b: FieldSet): FieldSet => withoutMembers(a, b, false) ?? emptySet

function withoutMembers(a: FieldSet, b: FieldSet, canBeMember: boolean): FieldSet | undefined {
  const member = canBeMember && isMember(a) && !isMember(b)
  const children: Building = {}
  let changed = canBeMember && member !== isMember(a)
  for (const element of elements(a)) {
    const child = a[element] as FieldSet
    const other = b[element]
    const left = other === undefined ? child : withoutMembers(child, other, true)
    if (left !== child) changed = true
    if (left !== undefined) children[element] = left
  }
  return changed ? build(member, children) : a
}

export const intersection = (a: FieldSet, b: FieldSet): FieldSet => commonMembers(a, b, false) ?? emptySet

function commonMembers(a: FieldSet, b: FieldSet, canBeMember: boolean): FieldSet | undefined {
  const children: Building = {}
  for (const element of elements(b)) {
    const child = a[element]
    const common = child === undefined ? undefined : commonMembers(child, b[element] as FieldSet, true)
    if (common !== undefined) children[element] = common
  }
  return build(canBeMember && isMember(a) && isMember(b), children)
}

/** Paths of `a` that are neither in `b` nor below a path of `b`. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(b)) return a
  const children: Building = {}
  for (const element of elements(a)) {
    const child = recursiveNode(a[element] as FieldSet, b[element])
    if (child !== undefined) children[element] = child
  }
  return build(false, children) ?? emptySet
}

function recursiveNode(a: FieldSet, b: FieldSet | undefined): FieldSet | undefined {
  if (b === undefined) return a
  if (isMember(b)) return undefined
  const children: Building = {}
  for (const element of elements(a)) {
    const child = recursiveNode(a[element] as FieldSet, b[element])
    if (child !== undefined) children[element] = child
  }
  return build(isMember(a), children)
}

/** Every path of the set, printed as messages show it (".spec.containers[name=\"c\"].image"), sorted. */
export function printPaths(set: FieldSet): string[] {
  const paths: string[] = []
  const visit = (node: FieldSet, path: string): void => {
    for (const element of elements(node)) {
      const child = node[element] as FieldSet
      const printed = path + printElement(element)
      if (isMember(child)) paths.push(printed)
      visit(child, printed)
    }
  }
  visit(set, '')
  return paths.sort()
}

/** One path element as messages show it. */
export function printElement(element: string): string {
  const text = element.slice(2)
  switch (element[0]) {
    case 'k': {
      const keys = JSON.parse(text) as Record<string, unknown>
      const printed = Object.keys(keys)
        .sort()
        .map((key) => `${key}=${JSON.stringify(keys[key])}`)
      return `[${printed.join(',')}]`
    }
    case 'v':
      return `[=${text}]`
    case 'i':
      return `[${text}]`
    default:
      return `.${text}`
  }
}
