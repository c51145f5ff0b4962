// metadata.managedFields as the tracker works with it: one set of fields per manager. Source: apimachinery pkg/util/managedfields.
import type { ManagedFieldsEntry } from '../../api/generated/types.ts'
import { isJsonObject } from '../json.ts'
import type { FieldSet } from './field-set.ts'
import { difference, isEmptySet, setOfPath, union } from './field-set.ts'

export interface Manager {
  name: string
  operation: 'Apply' | 'Update'
  apiVersion: string
  subresource: string
  time: string | undefined
  fields: FieldSet
}

/** Managers by identity, in the order they were stored. */
export type Managers = Map<string, Manager>

/** Updaters beyond this number are merged, oldest first, so that managedFields cannot grow without end. */
const maxUpdateManagers = 10
const ancientManager = 'ancient-changes'

/** Fields that belong to nobody. */
const unmanaged = [
  ['apiVersion'],
  ['kind'],
  ['metadata'],
  ['metadata', 'name'],
  ['metadata', 'namespace'],
  ['metadata', 'creationTimestamp'],
  ['metadata', 'selfLink'],
  ['metadata', 'uid'],
  ['metadata', 'clusterName'],
  ['metadata', 'generation'],
  ['metadata', 'managedFields'],
  ['metadata', 'resourceVersion'],
]
  .map((path) => setOfPath(path.map((name) => `f:${name}`)))
  .reduce(union)

/** An applier is the same whatever version it applies with; an updater is another one for each version. */
export const managerId = ({ name, operation, apiVersion, subresource }: Omit<Manager, 'fields' | 'time'>): string =>
  JSON.stringify([name, operation, operation === 'Apply' ? '' : apiVersion, subresource])

/** Entries that cannot be read are forgotten, as upstream does. */
export function readManagers(entries: readonly ManagedFieldsEntry[] | undefined): Managers {
  const managers: Managers = new Map()
  for (const entry of entries ?? []) {
    const { operation, fieldsV1 } = entry
    if ((operation !== 'Apply' && operation !== 'Update') || !isJsonObject(fieldsV1)) return new Map()
    const manager: Manager = {
      name: entry.manager ?? '',
      operation,
      apiVersion: entry.apiVersion ?? '',
      subresource: entry.subresource ?? '',
      time: entry.time,
      fields: fieldsV1 as unknown as FieldSet,
    }
    const id = managerId(manager)
    const same = managers.get(id)
    managers.set(id, same === undefined ? manager : { ...manager, fields: union(same.fields, manager.fields) })
  }
  return managers
}

/** Entries as stored: without fields that belong to nobody, without empty ones, sorted as upstream sorts them. */
export function writeManagers(managers: Managers): ManagedFieldsEntry[] | undefined {
  const kept = [...managers.values()]
    .map((manager) => ({ ...manager, fields: difference(manager.fields, unmanaged) }))
    .filter(({ fields }) => !isEmptySet(fields))
  const entries = mergeOldest(kept)
    .sort(
      (a, b) =>
        order(a.operation, b.operation) ||
        order(a.time ?? '', b.time ?? '') ||
        order(a.name, b.name) ||
        order(a.apiVersion, b.apiVersion) ||
        order(a.subresource, b.subresource),
    )
    .map(({ name, operation, apiVersion, subresource, time, fields }): ManagedFieldsEntry => ({
      manager: name,
      operation,
      apiVersion,
      ...(time === undefined ? {} : { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: fields,
      ...(subresource === '' ? {} : { subresource }),
    }))
  return entries.length === 0 ? undefined : entries
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function mergeOldest(managers: readonly Manager[]): Manager[] {
  const updaters = managers.filter(({ operation }) => operation === 'Update')
  const excess = updaters.length - maxUpdateManagers
  if (excess <= 0) return [...managers]
  const oldest = [...updaters].sort((a, b) => order(a.time ?? '', b.time ?? '')).slice(0, excess + 1)
  const kept = managers.filter((manager) => !oldest.includes(manager))
  const [first] = oldest
  if (first === undefined) return kept
  const merged: Manager = {
    ...first,
    name: ancientManager,
    subresource: '',
    time: oldest[oldest.length - 1]?.time,
    fields: oldest.map(({ fields }) => fields).reduce(union),
  }
  return [...kept, merged]
}
