// From the parsed body to an object of a kind: type and version must be the resource's, fields must be those of its schema.
import facts from '../../../common/api/generated/facts.json' with { type: 'json' }
import type { Facts } from '../../../common/api/facts.ts'
import { badRequest } from '../../../common/machinery/status.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import {
  createDecoder,
  decodeBody,
  DecodeError,
  type Decoder,
  type FieldValidation,
  strictMessage,
} from '../../../common/machinery/schema/decode.ts'
import { type Definitions, mergeDefinitions } from '../../../common/machinery/schema/definitions.ts'
import type { KindDefinition } from '../../kinds/kind.ts'
import type { ServedResource } from './served-resource.ts'

export type { FieldValidation }

export const kubernetesFacts = facts as unknown as Facts
const sharedDecoder = createDecoder(kubernetesFacts.definitions)
const ownDecoders = new WeakMap<object, Decoder>()

/** The definitions a kind's schema is part of, and its name there. */
export function schemaOf(kind: KindDefinition): { root: string; definitions: Definitions } {
  const { schema } = kind
  if (typeof schema === 'string') return { root: schema, definitions: kubernetesFacts.definitions }
  return { root: schema.root, definitions: withShared(schema.definitions) }
}

const merged = new WeakMap<Definitions, Definitions>()
/** Merged once: there are more than a thousand shared definitions, and this is asked at every write. */
function withShared(own: Definitions): Definitions {
  let definitions = merged.get(own)
  if (definitions === undefined) {
    definitions = mergeDefinitions(own, kubernetesFacts.definitions)
    merged.set(own, definitions)
  }
  return definitions
}

function decoderOf(kind: KindDefinition): { decoder: Decoder; root: string } {
  const { schema } = kind
  if (typeof schema === 'string') return { decoder: sharedDecoder, root: schema }
  let decoder = ownDecoders.get(schema.definitions)
  if (decoder === undefined) {
    decoder = createDecoder(withShared(schema.definitions))
    ownDecoders.set(schema.definitions, decoder)
  }
  return { decoder, root: schema.root }
}

export function parseFieldValidation(text: string | null): FieldValidation {
  if (text === null || text === '') return 'Warn'
  if (text === 'Strict' || text === 'Warn' || text === 'Ignore') return text
  throw badRequest(
    `fieldValidation: Unsupported value: ${JSON.stringify(text)}: supported values: "Ignore", "Strict", "Warn"`,
  )
}

const objectMetaDefinition = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/**
 * A new object the caller owns, in canonical form. Throws BadRequest (wrong type or field, Strict) and passes what Warn mode
 * finds to `warn`.
 */
export function decodeObject(
  resource: ServedResource,
  body: unknown,
  options: {
    readonly fieldValidation: FieldValidation
    readonly warn: (text: string) => void
    readonly duplicates?: readonly string[]
    /** Part of an object (what an applier manages): nothing is filled in that it does not say. */
    readonly partial?: boolean
  },
): KubeObject {
  const typed = requireType({ apiVersion: resource.apiVersion, kind: resource.kind.kind }, body)
  if (resource.custom !== undefined) return decodeCustom(resource, typed, options)
  const { decoder, root } = decoderOf(resource.kind)
  const { value, warnings } = decodeBody({
    decoder,
    definition: root,
    value: typed,
    fieldValidation: options.fieldValidation,
    version: resource.kind.version,
    kind: resource.kind.kind,
    ...(options.duplicates === undefined ? {} : { duplicates: options.duplicates }),
    fill: options.partial !== true && decoder === sharedDecoder,
  })
  for (const warning of warnings) options.warn(warning)
  value['metadata'] ??= {}
  return value as unknown as KubeObject
}

/** The same for a type that is not a stored resource (DeleteOptions, Eviction, TokenRequest, …). */
export function decodeType<T>(
  type: { readonly definition: string; readonly apiVersion: string; readonly kind: string },
  body: unknown,
  fieldValidation: FieldValidation = 'Ignore',
): T {
  const value = requireType(type, body)
  return decodeBody({
    decoder: sharedDecoder,
    definition: type.definition,
    value,
    fieldValidation,
    version: type.apiVersion,
    kind: type.kind,
    fill: true,
  }).value as T
}

function decodeCustom(
  resource: ServedResource,
  typed: Record<string, unknown>,
  options: Parameters<typeof decodeObject>[2],
): KubeObject {
  // A private copy: pruning and defaulting change it in place.
  const copy = JSON.parse(JSON.stringify(typed)) as Record<string, unknown>
  const { value: metadata, warnings } = decodeBody({
    decoder: sharedDecoder,
    definition: objectMetaDefinition,
    value: copy['metadata'] ?? {},
    fieldValidation: 'Warn',
    version: resource.kind.version,
    kind: resource.kind.kind,
  })
  copy['metadata'] = metadata
  const object = copy as unknown as KubeObject
  const unknown = [
    ...(options.duplicates ?? []),
    ...[
      ...warnings.map((text) => text.replace('"', '"metadata.')),
      ...(resource.custom?.prune(object) ?? []).map((path) => `unknown field ${JSON.stringify(path)}`),
    ].sort(),
  ]
  if (unknown.length > 0 && options.fieldValidation === 'Strict') {
    throw refused(
      `${resource.kind.kind} in version ${JSON.stringify(resource.kind.version)} cannot be handled as a ${resource.kind.kind}: ${strictMessage(unknown)}`,
      strictMessage(unknown),
    )
  }
  if (options.fieldValidation === 'Warn') for (const warning of unknown) options.warn(warning)
  return object
}

/** A shallow copy with apiVersion and kind filled in; refuses bodies that say they are something else. */
function requireType(
  expected: { readonly apiVersion: string; readonly kind: string },
  body: unknown,
): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badRequest(
      `the object provided is unrecognized (must be of type ${expected.kind}): couldn't get version/kind; json parse error: json: cannot unmarshal ${jsonType(body)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    )
  }
  const object = { ...(body as Record<string, unknown>) }
  if (object['apiVersion'] === undefined || object['apiVersion'] === '') object['apiVersion'] = expected.apiVersion
  if (object['kind'] === undefined || object['kind'] === '') object['kind'] = expected.kind
  const unregistered = (): string =>
    `no kind ${JSON.stringify(object['kind'])} is registered for version ${JSON.stringify(object['apiVersion'])} in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"`
  if (object['kind'] !== expected.kind) {
    throw refused(
      `${String(object['kind'])} in version ${JSON.stringify(versionOf(object['apiVersion']))} cannot be handled as a ${expected.kind}: converting (${String(object['apiVersion'])}.${String(object['kind'])}) to (${expected.apiVersion}.${expected.kind}): unknown conversion`,
      unregistered(),
    )
  }
  if (object['apiVersion'] !== expected.apiVersion) {
    throw refused(
      `the API version in the data (${String(object['apiVersion'])}) does not match the expected API version (${expected.apiVersion})`,
      unregistered(),
    )
  }
  return object
}

/** 400 whose cause is what the decoder itself would say: for those who answer in other words. */
function refused(message: string, decoding: string): Error {
  const error = badRequest(message)
  error.cause = new DecodeError(decoding)
  return error
}

const versionOf = (apiVersion: unknown): string => String(apiVersion).split('/').at(-1) ?? ''

function jsonType(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  return Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
}
