// Which objects a list or watch means: label and field selectors compiled once.
import {
  parseFieldSelector,
  matchesFields,
  requireSelectableFields,
  requiredFieldValue,
  type FieldSelector,
} from '../../../common/machinery/fields.ts'
import { matchesLabels, parseLabelSelector } from '../../../common/machinery/labels.ts'
import { badRequest } from '../../../common/machinery/status.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { ServedResource } from './served-resource.ts'

export interface Selection {
  matches(object: KubeObject): boolean
}

export interface CompiledSelection {
  /** Undefined: everything matches, so no object needs to be parsed. */
  readonly selection: Selection | undefined
  /** The one name the field selector allows. */
  readonly onlyName: string | undefined
}

/** Throws BadRequest for texts that cannot be read and fields the kind cannot be selected by. */
export function compileSelection(
  resource: ServedResource,
  labelSelector: string,
  fieldSelector: string,
): CompiledSelection {
  const labels = labelSelector === '' ? [] : parseLabelSelector(labelSelector)
  const fields = fieldSelector === '' ? [] : parseFieldSelector(fieldSelector)
  if (labels.length === 0 && fields.length === 0) return { selection: undefined, onlyName: undefined }
  if (fields.length > 0) requireSupported(resource, fields)
  return {
    selection: {
      matches: (object) => matchesLabels(labels, object.metadata.labels) && fieldsMatch(resource, fields, object),
    },
    onlyName: requiredFieldValue(fields, 'metadata.name'),
  }
}

/** The name a selector pins down, for authorization by name; undefined when there is none or the text cannot be read. */
export function nameInFieldSelector(fieldSelector: string | null): string | undefined {
  if (fieldSelector === null || !fieldSelector.includes('metadata.name')) return undefined
  try {
    return requiredFieldValue(parseFieldSelector(fieldSelector), 'metadata.name')
  } catch {
    // The list itself will say what is wrong with it.
    return undefined
  }
}

/** Kinds without fields of their own say which ones all kinds have. */
function requireSupported(resource: ServedResource, fields: FieldSelector): void {
  if (resource.kind.selectableFields !== undefined) {
    requireSelectableFields(fields, supportedFields(resource))
    return
  }
  const unknown = fields.find(({ field }) => field !== 'metadata.name' && field !== 'metadata.namespace')
  if (unknown === undefined) return
  throw badRequest(
    `${JSON.stringify(unknown.field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
  )
}

function supportedFields(resource: ServedResource): string[] {
  const generic = resource.namespaced ? ['metadata.name', 'metadata.namespace'] : ['metadata.name']
  // The set of fields is the same for every object of a kind.
  const sample = {
    apiVersion: resource.apiVersion,
    kind: resource.kind.kind,
    metadata: {},
    spec: {},
    status: {},
    involvedObject: {},
    source: {},
  }
  return [...generic, ...Object.keys(resource.kind.selectableFields?.(sample) ?? {})]
}

function fieldsMatch(resource: ServedResource, fields: FieldSelector, object: KubeObject): boolean {
  if (fields.length === 0) return true
  const { name = '', namespace = '' } = object.metadata
  const own = fields.some(({ field }) => !field.startsWith('metadata.'))
    ? resource.kind.selectableFields?.(object)
    : undefined
  return matchesFields(fields, { ...own, 'metadata.name': name, 'metadata.namespace': namespace })
}
