// The operations server-side apply needs on values of a known shape: which fields there are, how two values differ, merging one
// onto the other, and taking fields out. All pure. Source: structured-merge-diff typed.
import type { JsonObject } from '../json.ts'
import { isJsonObject, jsonEqual, setOwn } from '../json.ts'
import type { FieldSet } from './field-set.ts'
import { difference, emptySet, isEmptySet, isMember, printElement, SetBuilder } from './field-set.ts'
import type { Shape } from './shape.ts'
import { walk } from './shape.ts'

const memberNode: FieldSet = {}

const isEmptyObject = (value: unknown): boolean => isJsonObject(value) && Object.keys(value).length === 0

/** Every field of a value: its leaves, its list items, and objects that are empty. */
export function fieldSetOf(value: unknown, shape: Shape): FieldSet {
  return nodeOf(value, shape, false) ?? {}
}

/** The node of a value inside a set. `always`: the path itself is a member whatever lies below (list items, keys of maps). */
function nodeOf(value: unknown, shape: Shape, always: boolean): FieldSet | undefined {
  const walked = walk(value, shape)
  if (walked.kind === 'leaf') return memberNode
  const builder = new SetBuilder()
  if (always || isEmptyObject(value)) builder.markMember()
  if (walked.kind === 'object') {
    for (const name of Object.keys(walked.value)) {
      const child = walked.child(name)
      builder.add(child.element, nodeOf(walked.value[name], child.shape, !child.declared))
    }
  } else {
    const seen = new Set<string>()
    const duplicates = new Set<string>()
    for (const item of walked.value) {
      const element = walked.element(item)
      if (seen.has(element)) duplicates.add(element)
      seen.add(element)
    }
    for (const item of walked.value) {
      const element = walked.element(item)
      // Items that cannot be told apart are owned together, without their insides.
      builder.add(element, duplicates.has(element) ? memberNode : nodeOf(item, walked.shape, true))
    }
  }
  return builder.node()
}

/** What is wrong with the lists of an applied configuration: items that cannot be told apart, or lack a key. */
export function listErrors(value: unknown, shape: Shape, path = ''): string[] {
  const walked = walk(value, shape)
  if (walked.kind === 'leaf') return []
  if (walked.kind === 'object') {
    return Object.keys(walked.value).flatMap((name) =>
      listErrors(walked.value[name], walked.child(name).shape, `${path}.${name}`),
    )
  }
  const errors: string[] = []
  const seen = new Set<string>()
  for (const [index, item] of walked.value.entries()) {
    const missing = shape.kind === 'list' ? missingKey(item, shape) : undefined
    if (missing !== undefined) {
      errors.push(
        `${path}: element ${String(index)}: associative list with keys has an element that omits key field ${JSON.stringify(missing)} (and doesn't have default value)`,
      )
      continue
    }
    const element = walked.element(item)
    if (seen.has(element)) errors.push(`${path}: duplicate entries for key ${printElement(element)}`)
    seen.add(element)
    errors.push(...listErrors(item, walked.shape, path + printElement(element)))
  }
  return errors
}

function missingKey(item: unknown, shape: Shape & { kind: 'list' }): string | undefined {
  const object = isJsonObject(item) ? item : {}
  // With several keys upstream lets optional ones be absent, as long as one is there.
  const absentKeys = shape.keys.filter((key) => !Object.hasOwn(object, key) && shape.defaults[key] === undefined)
  return absentKeys.length === shape.keys.length ? absentKeys[0] : undefined
}

export interface Comparison {
  added: FieldSet
  modified: FieldSet
  removed: FieldSet
}

export function compareValues(before: unknown, after: unknown, shape: Shape): Comparison {
  const found = new Differences()
  compareInto(before, after, shape, false, found)
  return {
    added: found.added?.set() ?? emptySet,
    modified: found.modified?.set() ?? emptySet,
    removed: found.removed?.set() ?? emptySet,
  }
}

type Change = 'added' | 'modified' | 'removed'

/** Most parts of two versions of an object are equal: builders are made when there is something to build. */
class Differences {
  added: SetBuilder | undefined
  modified: SetBuilder | undefined
  removed: SetBuilder | undefined

  of(change: Change): SetBuilder {
    return (this[change] ??= new SetBuilder())
  }

  /** Puts what was found inside an element below it. */
  addBelow(element: string, inside: Differences): void {
    if (inside.added !== undefined) this.of('added').add(element, inside.added.node())
    if (inside.modified !== undefined) this.of('modified').add(element, inside.modified.node())
    if (inside.removed !== undefined) this.of('removed').add(element, inside.removed.node())
  }
}

/** Collects below the path of the two values; the values exist and differ in nothing but what is found here. */
function compareInto(before: unknown, after: unknown, shape: Shape, always: boolean, into: Differences): void {
  const old = walk(before, shape)
  const now = walk(after, shape)
  if (old.kind === 'object' && now.kind === 'object') {
    for (const name of Object.keys(now.value)) {
      const exists = Object.hasOwn(old.value, name)
      const value = now.value[name]
      if (exists && old.value[name] === value) continue
      const { shape: childShape, declared, element } = now.child(name)
      comparePair(element, exists ? old.value[name] : absent, value, childShape, !declared, into)
    }
    for (const name of Object.keys(old.value)) {
      if (Object.hasOwn(now.value, name)) continue
      const { shape: childShape, declared, element } = old.child(name)
      comparePair(element, old.value[name], absent, childShape, !declared, into)
    }
    // An empty object is a member of its own; one with fields is not, unless it always is.
    if (!always && isEmptyObject(before) !== isEmptyObject(after)) {
      into.of(isEmptyObject(before) ? 'removed' : 'added').markMember()
    }
  } else if (old.kind === 'items' && now.kind === 'items') {
    const oldItems = groupItems(old.value, old.element)
    const nowItems = groupItems(now.value, now.element)
    for (const [element, items] of nowItems) {
      compareItems(element, oldItems.get(element), items, now.shape, into)
    }
    for (const [element, items] of oldItems) {
      if (!nowItems.has(element)) compareItems(element, items, undefined, old.shape, into)
    }
  } else if (!jsonEqual(before, after)) {
    into.of('modified').markMember()
  }
}

const absent = Symbol('absent')

function comparePair(
  element: string,
  before: unknown,
  after: unknown,
  shape: Shape,
  always: boolean,
  into: Differences,
): void {
  if (before === after) return
  if (before === absent) {
    into.of('added').add(element, nodeOf(after, shape, always))
  } else if (after === absent) {
    into.of('removed').add(element, nodeOf(before, shape, always))
  } else {
    const inside = new Differences()
    compareInto(before, after, shape, always, inside)
    into.addBelow(element, inside)
  }
}

function compareItems(
  element: string,
  before: readonly unknown[] | undefined,
  after: readonly unknown[] | undefined,
  shape: Shape,
  into: Differences,
): void {
  const [old = absent, ...moreOld] = before ?? []
  const [now = absent, ...moreNow] = after ?? []
  if (moreOld.length === 0 && moreNow.length === 0) {
    comparePair(element, old, now, shape, true, into)
  } else if (!jsonEqual(before, after)) {
    // Duplicates have no inside; they change as one.
    const alone = (items: readonly unknown[], item: unknown): FieldSet | undefined =>
      items.length > 0 ? memberNode : item === absent ? undefined : nodeOf(item, shape, true)
    const oldNode = alone(moreOld, old)
    const nowNode = alone(moreNow, now)
    if (oldNode !== undefined) into.of('removed').add(element, subtract(oldNode, nowNode))
    if (nowNode !== undefined) into.of('added').add(element, subtract(nowNode, oldNode))
    if (oldNode !== undefined && nowNode !== undefined) into.of('modified').add(element, memberNode)
  }
}

function subtract(node: FieldSet, other: FieldSet | undefined): FieldSet | undefined {
  if (other === undefined) return node
  return difference({ '': node }, { '': other })['']
}

function groupItems(items: readonly unknown[], elementOf: (item: unknown) => string): Map<string, unknown[]> {
  const groups = new Map<string, unknown[]>()
  for (const item of items) {
    const element = elementOf(item)
    const group = groups.get(element)
    if (group === undefined) groups.set(element, [item])
    else group.push(item)
  }
  return groups
}

/** `config` laid over `live`: fields of `config` win, everything else stays. */
export function mergeValues(live: unknown, config: unknown, shape: Shape): unknown {
  const left = walk(live, shape)
  const right = walk(config, shape)
  if (left.kind === 'object' && right.kind === 'object') {
    const result: JsonObject = { ...left.value }
    for (const name of Object.keys(right.value)) {
      const { shape: childShape } = right.child(name)
      const exists = Object.hasOwn(left.value, name)
      const value = right.value[name]
      setOwn(result, name, exists ? mergeValues(left.value[name], value, childShape) : value)
    }
    return result
  }
  if (left.kind === 'items' && right.kind === 'items') {
    return mergeItems(left.value, right.value, right.element, right.shape)
  }
  return config
}

/** Items of both lists: the config's order among its own, the live order among the rest, interleaved as they meet. */
function mergeItems(
  live: readonly unknown[],
  config: readonly unknown[],
  elementOf: (item: unknown) => string,
  shape: Shape,
): unknown[] {
  const left = live.map((item) => ({ element: elementOf(item), item }))
  const right = config.map((item) => ({ element: elementOf(item), item }))
  const liveItems = new Map(left.map(({ element, item }) => [element, item]))
  const configElements = new Set(right.map(({ element }) => element))
  const shared = right.filter(({ element }) => liveItems.has(element)).map(({ element }) => element)
  const taken = new Set<string>()
  const result: unknown[] = []
  const take = ({ element, item }: { element: string; item: unknown }): void => {
    taken.add(element)
    result.push(liveItems.has(element) ? mergeValues(liveItems.get(element), item, shape) : item)
    if (shared[0] === element) shared.shift()
  }
  let l = 0
  let r = 0
  while (l < left.length || r < right.length) {
    const next = left[l]
    const wanted = right[r]
    if (next !== undefined && wanted !== undefined) {
      if (next.element === wanted.element) {
        take(wanted)
        l += 1
        r += 1
        continue
      }
      // Both have it, but the config wants another one first.
      if (configElements.has(next.element) && shared[0] !== undefined && shared[0] !== next.element) {
        l += 1
        continue
      }
    }
    if (next !== undefined) {
      if (!configElements.has(next.element)) {
        result.push(next.item)
        l += 1
        continue
      }
      if (taken.has(next.element)) l += 1
    }
    if (wanted !== undefined) {
      take(wanted)
      r += 1
    }
  }
  return result
}

/** The value without the paths of `remove`; undefined when nothing is left of an object or list that had something. */
export function removeFields(value: unknown, remove: FieldSet, shape: Shape): unknown {
  if (isEmptySet(remove)) return value
  const walked = walk(value, shape)
  if (walked.kind === 'object') {
    const result: JsonObject = {}
    for (const name of Object.keys(walked.value)) {
      const node = remove[`f:${name}`]
      if (node !== undefined && isMember(node)) continue
      const child = walked.value[name]
      const left = node === undefined ? child : removeFields(child, node, walked.child(name).shape)
      if (left !== undefined) setOwn(result, name, left)
    }
    return Object.keys(result).length === 0 && Object.keys(walked.value).length > 0 ? undefined : result
  }
  if (walked.kind === 'items') {
    const result: unknown[] = []
    for (const item of walked.value) {
      const node = remove[walked.element(item)]
      if (node !== undefined && isMember(node)) continue
      const left = node === undefined ? item : removeFields(item, node, walked.shape)
      if (left !== undefined) result.push(left)
    }
    return result.length === 0 && walked.value.length > 0 ? undefined : result
  }
  return value
}

/** The set with every declared field that has something below it made a member itself. */
export function withNamedFields(set: FieldSet, shape: Shape): FieldSet {
  return namedNode(set, shape, false) ?? {}
}

function namedNode(node: FieldSet, shape: Shape, member: boolean): FieldSet | undefined {
  const builder = new SetBuilder()
  if (member) builder.markMember()
  for (const element of Object.keys(node)) {
    if (element === '.') continue
    const child = node[element] as FieldSet
    const inside = childShape(shape, element)
    const declared = shape.kind === 'struct' && inside !== undefined
    builder.add(element, namedNode(child, inside ?? { kind: 'free' }, declared || isMember(child)))
  }
  return builder.node()
}

function childShape(shape: Shape, element: string): Shape | undefined {
  if (shape.kind === 'struct') return shape.field(element.slice(2))?.shape
  return shape.kind === 'map' || shape.kind === 'list' ? shape.item() : undefined
}
