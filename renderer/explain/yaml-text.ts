// Objects as YAML for people: fields in the order Kubernetes users expect, bookkeeping left out; and back, with lines for errors.
import { isMap, isSeq, parseDocument, stringify, LineCounter, type Document } from 'yaml'
import type { KubeObject } from '../../common/machinery/meta.ts'

const firstMetadata = ['name', 'generateName', 'namespace', 'labels', 'annotations', 'finalizers', 'ownerReferences']
const firstFields = ['apiVersion', 'kind', 'metadata', 'type', 'spec', 'data', 'status']

export function toYaml(object: unknown): string {
  return stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })
}

/** For editing: without status too, which only controllers write. */
export function editableYaml(object: KubeObject): string {
  const { status: _status, ...rest } = object as KubeObject & { status?: unknown }
  return objectYaml(rest)
}

/** For display: without managedFields, known fields first. */
export function objectYaml(object: KubeObject): string {
  const { managedFields: _managed, ...metadata } = object.metadata
  return toYaml(inOrder({ ...object, metadata: inOrder(metadata, firstMetadata) }, firstFields))
}

function inOrder(source: Readonly<Record<string, unknown>>, first: readonly string[]): Record<string, unknown> {
  const ordered: Record<string, unknown> = {}
  for (const field of first) if (field in source) ordered[field] = source[field]
  for (const [field, value] of Object.entries(source)) if (!(field in ordered)) ordered[field] = value
  return ordered
}

export type ParsedYaml =
  | { ok: true; object: KubeObject; lineOf: (fieldPath: string) => number | undefined }
  | { ok: false; problems: { line: number; message: string }[] }

export function parseObjectYaml(text: string): ParsedYaml {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  if (document.errors.length > 0) {
    return {
      ok: false,
      problems: document.errors.map((error) => ({ line: lines.linePos(error.pos[0]).line, message: error.message })),
    }
  }
  const value = document.toJS() as unknown
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { ok: false, problems: [{ line: 1, message: 'An object is one map with apiVersion, kind and metadata.' }] }
  const object = value as Partial<KubeObject>
  if (typeof object.apiVersion !== 'string' || typeof object.kind !== 'string' || typeof object.metadata !== 'object') {
    return { ok: false, problems: [{ line: 1, message: 'apiVersion, kind and metadata are needed.' }] }
  }
  return { ok: true, object: value as KubeObject, lineOf: (path) => lineOfField(document, lines, path) }
}

/** "spec.containers[0].image" -> ["spec", "containers", 0, "image"]; bracketed map keys are kept as keys. */
export function fieldPathParts(path: string): (string | number)[] {
  const parts: (string | number)[] = []
  for (const match of path.matchAll(/([^.[\]]+)|\[([^\]]*)\]/g)) {
    if (match[1] !== undefined) parts.push(match[1])
    else if (match[2] !== undefined)
      parts.push(/^\d+$/.test(match[2]) ? Number(match[2]) : match[2].replace(/^"|"$/g, ''))
  }
  return parts
}

/** The line of a field, or of the nearest parent that is written down. */
function lineOfField(document: Document.Parsed, lines: LineCounter, path: string): number | undefined {
  let node: unknown = document.contents
  let offset: number | undefined
  for (const part of fieldPathParts(path)) {
    if (isMap(node)) {
      const pair = node.items.find((item) => keyText(item.key) === String(part))
      if (pair === undefined) break
      offset = (pair.key as { range?: [number, number, number] | null }).range?.[0] ?? offset
      node = pair.value
    } else if (isSeq(node) && typeof part === 'number') {
      const item = node.items[part] as { range?: [number, number, number] | null } | undefined
      if (item === undefined) break
      offset = item.range?.[0] ?? offset
      node = item
    } else break
  }
  return offset === undefined ? undefined : lines.linePos(offset).line
}

const keyText = (key: unknown): string => String((key as { value?: unknown } | null)?.value ?? key)

/** Only status and bookkeeping differ: what a person edits is the same in both. */
export function isSameButStatus(a: KubeObject, b: KubeObject): boolean {
  return editable(a) === editable(b)
}

function editable(object: KubeObject): string {
  const {
    managedFields: _managed,
    resourceVersion: _version,
    generation: _generation,
    annotations = {},
    ...metadata
  } = object.metadata
  const { 'deployment.kubernetes.io/revision': _revision, ...ownAnnotations } = annotations
  return JSON.stringify({ ...object, metadata, annotations: ownAnnotations, status: undefined })
}
