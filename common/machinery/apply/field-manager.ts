// Server-side apply and the tracking of who owns which field, for every write. Pure: objects in, object or entries out.
// Source: apimachinery pkg/util/managedfields and structured-merge-diff merge.
import type { ManagedFieldsEntry } from '../../api/generated/types.ts'
import type { JsonObject } from '../json.ts'
import { isJsonObject, jsonEqual } from '../json.ts'
import type { Definitions } from '../schema/definitions.ts'
import { shortName } from '../schema/definitions.ts'
import { badRequest } from '../status.ts'
import type { Conflict } from './conflicts.ts'
import { applyConflict } from './conflicts.ts'
import type { FieldSet } from './field-set.ts'
import { difference, emptySet, intersection, isEmptySet, recursiveDifference, setOfPath, union } from './field-set.ts'
import { lastAppliedFields, refreshLastApplied, upgradingManager } from './last-applied.ts'
import type { Manager, Managers } from './managed-fields.ts'
import { managerId, readManagers, writeManagers } from './managed-fields.ts'
import type { Shape } from './shape.ts'
import { Shapes } from './shape.ts'
import { compareValues, fieldSetOf, listErrors, mergeValues, removeFields, withNamedFields } from './typed-value.ts'

export interface WriteIdentity {
  /** The fieldManager parameter, or what stands for it (the user agent's first word). */
  manager: string
  apiVersion: string
  /** "" for the main resource. */
  subresource?: string
  /** RFC 3339 with seconds. */
  now: string
  /** Top-level fields this door resets ("status" on the main door): they are neither owned nor changed by the writer. */
  ignoredFields?: readonly string[]
}

export interface UpdateRequest extends WriteIdentity {
  /** Full definition name. */
  definition: string
  /** The stored object; undefined on creation. */
  live: JsonObject | undefined
  /** The object about to be stored, defaulted. Its own managedFields are honoured when they differ from live's. */
  updated: JsonObject
}

export interface ApplyRequest extends WriteIdentity {
  definition: string
  /** The stored object; undefined when apply creates it. */
  live: JsonObject | undefined
  /** The applied configuration, decoded (unknown fields and nulls dropped). */
  config: JsonObject
  force: boolean
}

export class FieldManager {
  readonly #shapes: Shapes

  constructor(definitions: Definitions) {
    this.#shapes = new Shapes(definitions)
  }

  /** managedFields after a create, update or patch. Undefined: the object has none (a client cleared them). */
  trackUpdate(request: UpdateRequest): ManagedFieldsEntry[] | undefined {
    const { live, updated } = request
    const stored = entriesOf(live)
    const sent = entriesOf(updated)
    if (sent !== undefined && isCleared(sent)) return undefined
    if (live !== undefined && stored === undefined && sent === undefined) return undefined
    const managers = readManagers(sent === undefined || sent.length === 0 ? stored : sent)

    const shape = this.#shapes.of(request.definition)
    const before = withoutManagedFields(live ?? {})
    const after = withoutManagedFields(updated)
    const { added, modified, removed } = compareValues(before, after, shape)
    const taken = recursiveDifference(union(modified, added), ignoredSet(request.ignoredFields))
    const lost = union(union(modified, added), removed)
    if (!isEmptySet(lost)) {
      for (const [id, manager] of managers) managers.set(id, { ...manager, fields: difference(manager.fields, lost) })
    }
    if (!isEmptySet(taken)) own(managers, { ...identity(request, 'Update'), fields: taken }, request.now)
    return writeManagers(managers)
  }

  /**
   * The object after applying `config` for its manager, managedFields included; nothing else of the object is defaulted or
   * checked. Returns `live` itself when nothing changes. Throws StatusError 409 when fields of others would change without `force`.
   */
  apply(request: ApplyRequest): JsonObject {
    const { live = {}, config, force } = request
    const shape = this.#shapes.of(request.definition)
    const managers = readManagers(entriesOf(live))
    const before = withoutManagedFields(live)
    if (managers.size === 0 && request.live !== undefined) keepWhatWasThere(managers, before, shape, request)

    const applied = withoutManagedFields(config)
    refuseUnusableLists(applied, shape, request)
    const self = { ...identity(request, 'Apply'), fields: fieldSetOf(applied, shape) }
    self.fields = recursiveDifference(self.fields, ignoredSet(request.ignoredFields))
    const id = managerId(self)
    const last = managers.get(id)
    managers.set(id, { ...self, time: last?.time })

    const merged = mergeValues(before, applied, shape) as JsonObject
    const pruned = prune(merged, managers, last?.fields ?? emptySet, shape)
    const upgrades = request.manager === upgradingManager
    const forgiven = () => (upgrades ? lastAppliedFields(before, request.apiVersion, shape) : emptySet)
    settleOwners({ before, after: pruned, managers, self: id, shape, force, forgiven })
    const result = upgrades ? refreshLastApplied(pruned, applied) : pruned

    const owned = managers.get(id)
    const sameOwner = owned !== undefined && jsonEqual(last?.fields ?? emptySet, stripped(owned))
    if (request.live !== undefined && sameOwner && jsonEqual(before, result)) return request.live
    if (owned !== undefined) managers.set(id, { ...owned, time: request.now })
    return withManagedFields(result, writeManagers(managers))
  }

  /** `config` laid over `live` by the type's rules for lists and maps; who owns what is not looked at. */
  merge(definition: string, live: JsonObject, config: JsonObject): JsonObject {
    return mergeValues(live, config, this.#shapes.of(definition)) as JsonObject
  }
}

function refuseUnusableLists(config: JsonObject, shape: Shape, { definition, apiVersion }: ApplyRequest): void {
  const errors = listErrors(config, shape)
  if (errors.length === 0) return
  const metadata = isJsonObject(config['metadata']) ? config['metadata'] : {}
  const name = [metadata['namespace'], metadata['name']].filter((part) => typeof part === 'string').join('/')
  const kind = shortName(definition)
  throw badRequest(
    `failed to create typed patch object (${name}; ${apiVersion}, Kind=${kind}): ${errors.length === 1 ? (errors[0] ?? '') : `errors:\n  ${errors.join('\n  ')}`}`,
  )
}

/** What the manager would have stored: fields that belong to nobody left out. */
function stripped(manager: Manager): FieldSet {
  const [entry] = writeManagers(new Map([['', manager]])) ?? []
  return (entry?.fieldsV1 ?? {}) as FieldSet
}

const identity = (request: WriteIdentity, operation: 'Apply' | 'Update'): Omit<Manager, 'fields'> => ({
  name: request.manager,
  operation,
  apiVersion: request.apiVersion,
  subresource: request.subresource ?? '',
  time: undefined,
})

function own(managers: Managers, manager: Manager, now: string): void {
  const id = managerId(manager)
  const known = managers.get(id)
  const fields = known === undefined ? manager.fields : union(known.fields, manager.fields)
  managers.set(id, { ...manager, fields, time: now })
}

/** An object nobody tracked yet: its present fields get an owner, so that the first apply does not silently take them over. */
function keepWhatWasThere(managers: Managers, before: JsonObject, shape: Shape, request: ApplyRequest): void {
  const manager: Manager = {
    ...identity(request, 'Update'),
    name: 'before-first-apply',
    subresource: '',
    fields: fieldSetOf(before, shape),
  }
  own(managers, manager, request.now)
}

/** Takes out what the manager owned by its last apply, no longer applies, and nobody else owns. */
function prune(merged: JsonObject, managers: Managers, last: FieldSet, shape: Shape): JsonObject {
  if (isEmptySet(last)) return merged
  const named = (set: FieldSet): FieldSet => withNamedFields(set, shape)
  const setOf = (value: unknown): FieldSet => named(fieldSetOf(value ?? {}, shape))
  const mergedSet = setOf(merged)
  const lastSet = named(last)
  const owned = named([...managers.values()].map(({ fields }) => fields).reduce(union, emptySet))

  const bare = removeFields(merged, lastSet, shape)
  const withOwned = removeFields(merged, difference(mergedSet, union(setOf(bare), owned)), shape)
  const gone = intersection(difference(mergedSet, setOf(withOwned)), lastSet)
  return (removeFields(merged, gone, shape) ?? {}) as JsonObject
}

/**
 * Finds fields of others that change; refuses, or takes them away from their owners. Removed fields are nobody's. `forgiven` is asked
 * for the fields that may be taken without force.
 */
function settleOwners(options: {
  before: JsonObject
  after: JsonObject
  managers: Managers
  self: string
  shape: Shape
  force: boolean
  forgiven: () => FieldSet
}): void {
  const { before, after, managers, self, shape, force } = options
  const { added, modified, removed } = compareValues(before, after, shape)
  const changed = union(modified, added)
  const conflicts: Conflict[] = []
  for (const [id, manager] of managers) {
    if (id === self) continue
    const fields = intersection(manager.fields, changed)
    if (!isEmptySet(fields)) conflicts.push({ manager, fields })
  }
  if (conflicts.length > 0 && !force) {
    const forgiven = options.forgiven()
    const standing = conflicts
      .map(({ manager, fields }) => ({ manager, fields: difference(fields, forgiven) }))
      .filter(({ fields }) => !isEmptySet(fields))
    if (standing.length > 0) throw applyConflict(standing)
  }
  const lost = union(changed, removed)
  for (const [id, manager] of managers) {
    if (id !== self) managers.set(id, { ...manager, fields: difference(manager.fields, lost) })
  }
}

function ignoredSet(names: readonly string[] | undefined): FieldSet {
  return (names ?? []).map((name) => setOfPath([`f:${name}`])).reduce(union, emptySet)
}

function entriesOf(object: JsonObject | undefined): ManagedFieldsEntry[] | undefined {
  const metadata = object?.['metadata']
  if (!isJsonObject(metadata)) return undefined
  const entries = metadata['managedFields']
  return Array.isArray(entries) ? (entries as ManagedFieldsEntry[]) : undefined
}

/** `managedFields: [{}]` is how clients ask for a reset; an empty list is not. */
const isCleared = (entries: readonly ManagedFieldsEntry[]): boolean =>
  entries.length === 1 && Object.keys(entries[0] ?? {}).length === 0

function withoutManagedFields(object: JsonObject): JsonObject {
  const metadata = object['metadata']
  if (!isJsonObject(metadata) || !Object.hasOwn(metadata, 'managedFields')) return object
  const { managedFields: _, ...rest } = metadata
  return { ...object, metadata: rest }
}

function withManagedFields(object: JsonObject, entries: ManagedFieldsEntry[] | undefined): JsonObject {
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {}
  return entries === undefined ? object : { ...object, metadata: { ...metadata, managedFields: entries } }
}
