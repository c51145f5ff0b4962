// The way from kubectl's client-side apply to its server-side apply: what the annotation of the former says was applied, and is so
// still, belongs to the same person, so the latter takes it over without a conflict; and it keeps the annotation up to date, so that
// the way back is open. Only for the field manager "kubectl": choosing another name opts out.
// Source: apimachinery pkg/util/managedfields/internal lastappliedmanager and lastappliedupdater.
import type { JsonObject } from '../json.ts'
import { getOwn, isJsonObject, setOwn } from '../json.ts'
import type { FieldSet } from './field-set.ts'
import { difference, emptySet, union } from './field-set.ts'
import type { Shape } from './shape.ts'
import { compareValues, fieldSetOf, listErrors } from './typed-value.ts'

export const upgradingManager = 'kubectl'
const annotation = 'kubectl.kubernetes.io/last-applied-configuration'

/** The fields that client-side apply set and that still are as it set them. An annotation that cannot be read names none. */
export function lastAppliedFields(live: JsonObject, apiVersion: string, shape: Shape): FieldSet {
  const text = annotationOf(live)
  if (text === undefined) return emptySet
  try {
    const config: unknown = JSON.parse(text)
    if (!isJsonObject(config) || config['apiVersion'] !== apiVersion || listErrors(config, shape).length > 0)
      return emptySet
    const { added, modified, removed } = compareValues(config, live, shape)
    return difference(fieldSetOf(config, shape), union(union(modified, added), removed))
  } catch {
    // No JSON, or nested beyond the stack: written by whoever may write annotations.
    return emptySet
  }
}

/** `object` with its annotation, if it has one, naming `config` as the last applied. */
export function refreshLastApplied(object: JsonObject, config: JsonObject): JsonObject {
  const old = annotationOf(object)
  if (old === undefined) return object
  const text = `${JSON.stringify(sorted(withoutAnnotation(config)))}\n`
  if (text === old) return object
  const metadata = object['metadata'] as JsonObject
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...(metadata['annotations'] as JsonObject), [annotation]: text } },
  }
}

function annotationsOf(object: JsonObject): JsonObject | undefined {
  const metadata = object['metadata']
  const annotations = isJsonObject(metadata) ? metadata['annotations'] : undefined
  return isJsonObject(annotations) ? annotations : undefined
}

function annotationOf(object: JsonObject): string | undefined {
  const text = getOwn(annotationsOf(object) ?? {}, annotation)
  return typeof text === 'string' && text !== '' ? text : undefined
}

function withoutAnnotation(config: JsonObject): JsonObject {
  const annotations = annotationsOf(config)
  if (annotations === undefined || !Object.hasOwn(annotations, annotation)) return config
  const { [annotation]: _, ...rest } = annotations
  return { ...config, metadata: { ...(config['metadata'] as JsonObject), annotations: rest } }
}

/** With the keys of every object in order, as Go prints them. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isJsonObject(value)) return value
  const copy: JsonObject = {}
  for (const key of Object.keys(value).sort()) setOwn(copy, key, sorted(value[key]))
  return copy
}
