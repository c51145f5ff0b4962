// The two doors of most kinds: the main resource (status stays as it was) and the status subresource (only status, labels and
// annotations may change).
import type { KubeObject } from '../../common/machinery/meta.ts'
import type { FieldError } from '../../common/machinery/field-error.ts'
import type { UpdateStrategy, WriteContext } from './kind.ts'

type Transition<T> = (object: T, old: T, context: WriteContext) => FieldError[]

/** A deep copy of JSON data; several times faster than structuredClone on the small trees of API objects. */
export function cloneJson<V>(value: V): V {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item: unknown) => cloneJson(item)) as V
  const copy: Record<string, unknown> = {}
  for (const key in value) copy[key] = cloneJson(value[key])
  return copy as V
}

/** Puts the field back to what it was; a copy, because `old` is frozen and later steps may mutate `object`. */
export function restore<T extends object>(object: T, old: T, field: keyof T): void {
  const before = old[field]
  if (before === undefined) Reflect.deleteProperty(object, field)
  else object[field] = cloneJson(before)
}

/** Takes out fields set to undefined: absent is the only way a field is not there. */
export function dropUndefined<T extends object>(object: T): T {
  for (const field of Object.keys(object)) {
    if (object[field as keyof T] === undefined) Reflect.deleteProperty(object, field)
  }
  return object
}

/** The main door of a kind with status. */
export function mainDoor<T extends KubeObject & { status?: unknown }>(validate?: Transition<T>): UpdateStrategy<T> {
  return {
    prepare: (object, old) => {
      restore(object, old, 'status')
    },
    ...(validate === undefined ? {} : { validate }),
  }
}

export interface StatusDoorOptions<T> {
  readonly validate?: Transition<T>
  /** Metadata this door must not change either (upstream differs by kind). */
  readonly keepMetadata?: readonly ('labels' | 'annotations' | 'ownerReferences' | 'finalizers')[]
}

/** The status subresource: everything but metadata and status comes from the stored object. */
export function statusDoor<T extends KubeObject & { status?: unknown }>(
  options: StatusDoorOptions<T> = {},
): UpdateStrategy<T> {
  const { validate, keepMetadata = [] } = options
  return {
    prepare: (object, old) => {
      for (const field of new Set([...Object.keys(object), ...Object.keys(old)])) {
        if (field !== 'apiVersion' && field !== 'kind' && field !== 'metadata' && field !== 'status') {
          restore(object, old, field as keyof T)
        }
      }
      for (const field of keepMetadata) restore(object.metadata, old.metadata, field)
    },
    ...(validate === undefined ? {} : { validate }),
  }
}

/** On creation clients do not set status. */
export function dropStatus(object: KubeObject & { status?: unknown }): void {
  delete object.status
}
