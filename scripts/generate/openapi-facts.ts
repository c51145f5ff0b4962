// Condenses the Kubernetes OpenAPI document (Apache-2.0) into the facts the program needs, and apart from them its words:
//   common/api/generated/descriptions.json   the texts of types, fields and parameters
//   common/api/generated/facts.json    definitions (fields, types, required, list keys, patch strategies, GVKs)
//   common/api/generated/types.ts      the same definitions as TypeScript interfaces
//   common/api/generated/resources.ts  what is served: resource names, kinds, scope, verbs and subresources, each with its type
// Usage: node scripts/generate/openapi-facts.ts DOCUMENT.json.gz [--check]
import { readFileSync, writeFileSync, mkdirSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Descriptions, QueryParameterFact } from '../../common/api/descriptions.ts'
import type { Definition, Facts, Field, ResourceFact, TypeFact, Verb } from '../../common/api/facts.ts'

interface OpenApiSchema {
  description?: string
  $ref?: string
  type?: string
  format?: string
  items?: OpenApiSchema
  additionalProperties?: OpenApiSchema
  properties?: Record<string, OpenApiSchema>
  required?: string[]
  default?: unknown
  enum?: string[]
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map'
  'x-kubernetes-list-map-keys'?: string[]
  'x-kubernetes-map-type'?: 'atomic' | 'granular'
  'x-kubernetes-patch-merge-key'?: string
  'x-kubernetes-patch-strategy'?: string
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[]
  'x-kubernetes-unions'?: unknown
}
interface OpenApiParameter {
  $ref?: string
  name?: string
  in?: string
  type?: string
  description?: string
}
interface OpenApiDocument {
  parameters: Record<string, OpenApiParameter>
  definitions: Record<string, OpenApiSchema>
  paths: Record<string, Record<string, unknown>>
}
interface Operation {
  'x-kubernetes-action'?: string
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }
}

const refName = (ref: string): string => ref.slice('#/definitions/'.length)

function typeOf(schema: OpenApiSchema): TypeFact {
  if (schema.$ref !== undefined) return { ref: refName(schema.$ref) }
  if (schema.type === 'array') return { array: typeOf(schema.items ?? {}) }
  if (schema.type === 'object' && schema.additionalProperties) return { map: typeOf(schema.additionalProperties) }
  if (schema.type === 'string' && schema.format === 'byte') return 'bytes'
  if (schema.type === 'string' && schema.format === 'int-or-string') return 'int-or-string'
  if (schema.type === 'string' && schema.format === 'date-time') return 'time'
  if (schema.type === 'integer') return schema.format === 'int32' ? 'int32' : 'int64'
  if (schema.type === 'string' || schema.type === 'boolean' || schema.type === 'number') return schema.type
  return 'any'
}

function fieldOf(schema: OpenApiSchema, required: boolean): Field {
  const field: Field = { type: typeOf(schema) }
  if (required) field.required = true
  if (schema.default !== undefined) field.default = schema.default
  if (schema['x-kubernetes-list-type']) field.listType = schema['x-kubernetes-list-type']
  if (schema['x-kubernetes-list-map-keys']) field.listMapKeys = schema['x-kubernetes-list-map-keys']
  if (schema['x-kubernetes-map-type'] === 'atomic') field.mapType = 'atomic'
  if (schema['x-kubernetes-patch-merge-key']) field.patchMergeKey = schema['x-kubernetes-patch-merge-key']
  if (schema['x-kubernetes-patch-strategy']) field.patchStrategy = schema['x-kubernetes-patch-strategy']
  return field
}

const plainTypes: Record<string, TypeFact> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'quantity',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'int-or-string',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': 'time',
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': 'micro-time',
}

function definitionOf(name: string, schema: OpenApiSchema): Definition {
  const required = new Set(schema.required)
  const definition: Definition = {}
  const plain = plainTypes[name]
  if (plain) definition.is = plain
  else if (schema.properties) {
    definition.fields = Object.fromEntries(
      Object.entries(schema.properties).map(([field, s]) => [field, fieldOf(s, required.has(field))]),
    )
  } else definition.is = typeOf(schema)
  if (schema['x-kubernetes-map-type'] === 'atomic') definition.mapType = 'atomic'
  const gvks = schema['x-kubernetes-group-version-kind']
  if (gvks?.length === 1 && gvks[0]) definition.gvk = gvks[0]
  return definition
}

function resourcesOf(document: OpenApiDocument): ResourceFact[] {
  const resources = new Map<string, ResourceFact>()
  for (const [path, item] of Object.entries(document.paths)) {
    const match =
      /^\/(?:api|apis\/([^/]+))\/([^/]+)\/(namespaces\/\{namespace\}\/)?([a-z]+)(?:\/\{name\}(?:\/([a-z]+))?(?:\/\{path\})?)?$/.exec(
        path,
      )
    if (!match) continue
    const [, group = '', version = '', namespaced, plural = '', subresource] = match
    const apiRoot = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
    for (const [method, operation] of Object.entries(item) as [string, Operation][]) {
      const action = operation['x-kubernetes-action']
      const gvk = operation['x-kubernetes-group-version-kind']
      if (action === undefined || gvk === undefined || method === 'parameters') continue
      const key = `${group}/${version}/${plural}`
      const resource = resources.get(key) ?? {
        group,
        version,
        plural,
        kind: '',
        namespaced: false,
        verbs: [],
        schema: '',
      }
      resources.set(key, resource)
      if (namespaced !== undefined) resource.namespaced = true
      const verb = { post: 'create', put: 'update' }[action] ?? action
      if (subresource !== undefined) {
        const subresources = (resource.subresources ??= {})
        const entry = (subresources[subresource] ??= {
          kind: gvk.kind,
          group: gvk.group,
          version: gvk.version,
          verbs: [],
        })
        if (!entry.verbs.includes(verb)) entry.verbs.push(verb)
      } else {
        resource.kind = gvk.kind
        if (`${apiRoot}/watch/${plural}` in document.paths && !resource.verbs.includes('watch'))
          resource.verbs.push('watch')
        if (!resource.verbs.includes(verb as Verb)) resource.verbs.push(verb as Verb)
      }
    }
  }
  return [...resources.values()].sort((a, b) =>
    `${a.group}/${a.version}/${a.plural}`.localeCompare(`${b.group}/${b.version}/${b.plural}`),
  )
}

/** TypeScript interface names: the last part of the definition name, prefixed with group and version where two would clash. */
function interfaceNames(definitions: Record<string, Definition>): Map<string, string> {
  const byShort = Map.groupBy(Object.keys(definitions), (name) => name.split('.').at(-1) ?? name)
  const preferred = (names: string[]): string | undefined =>
    names.find((n) => n.startsWith('io.k8s.api.core.v1.') && !n.endsWith('.Event')) ??
    names.find((n) => n.includes('.meta.v1.')) ??
    names.find((n) => n.startsWith('io.k8s.api.core.v1.'))
  const pascal = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
  const out = new Map<string, string>()
  for (const [short, names] of byShort) {
    const bare = names.length === 1 ? names[0] : preferred(names)
    for (const name of names) {
      const parts = name.split('.')
      out.set(name, name === bare ? short : `${pascal(parts.at(-3) ?? '')}${pascal(parts.at(-2) ?? '')}${short}`)
    }
  }
  return out
}

function emitTypes(definitions: Record<string, Definition>): string {
  const names = interfaceNames(definitions)
  const emit = (type: TypeFact): string => {
    if (typeof type === 'string') {
      return {
        string: 'string',
        bytes: 'string',
        time: 'string',
        'micro-time': 'string',
        quantity: 'Quantity',
        boolean: 'boolean',
        number: 'number',
        int32: 'number',
        int64: 'number',
        'int-or-string': 'IntOrString',
        any: 'unknown',
      }[type]
    }
    if ('ref' in type) {
      const target = definitions[type.ref]
      if (target?.is !== undefined && typeof target.is === 'string') return emit(target.is)
      return names.get(type.ref) ?? 'unknown'
    }
    if ('array' in type) {
      const inner = emit(type.array)
      return /^[\w]+$/.test(inner) ? `${inner}[]` : `(${inner})[]`
    }
    return `Record<string, ${emit(type.map)}>`
  }
  const lines = [
    '// Generated by scripts/generate/openapi-facts.ts from the Kubernetes 1.36 OpenAPI document. Do not edit.',
    '',
    'export type IntOrString = number | string',
    '/** A resource quantity as Kubernetes writes it: "100m", "64Mi", "2". */',
    'export type Quantity = string | number',
    '',
  ]
  for (const name of Object.keys(definitions).sort()) {
    const definition = definitions[name]
    const short = names.get(name)
    if (!definition || !short) continue
    if (!definition.fields) {
      if (typeof definition.is === 'string' && definition.is !== 'any') continue
      lines.push(
        `export type ${short} = ${definition.is === undefined || definition.is === 'any' ? 'unknown' : emit(definition.is)}`,
        '',
      )
      continue
    }
    lines.push(`/** ${name} */`, `export interface ${short} {`)
    for (const [field, fact] of Object.entries(definition.fields)) {
      const required = fact.required === true || (field === 'metadata' && definition.gvk !== undefined)
      const literal =
        definition.gvk && field === 'kind'
          ? `'${definition.gvk.kind}'`
          : definition.gvk && field === 'apiVersion'
            ? `'${definition.gvk.group ? `${definition.gvk.group}/` : ''}${definition.gvk.version}'`
            : undefined
      const key = /^[\w$]+$/.test(field) ? field : `'${field}'`
      lines.push(`  ${key}${required || literal ? '' : '?'}: ${literal ?? emit(fact.type)}`)
    }
    lines.push('}', '')
  }
  return lines.join('\n')
}

/** "apps/v1/deployments" to its facts and to its type: a kind is defined under one of these names. */
function emitResources(resources: readonly ResourceFact[], definitions: Record<string, Definition>): string {
  const names = interfaceNames(definitions)
  const schemaOf = ({ group, version, kind }: ResourceFact): string =>
    Object.keys(definitions).find((name) => {
      const gvk = definitions[name]?.gvk
      return gvk?.group === group && gvk.version === version && gvk.kind === kind
    }) ?? ''
  const keyOf = ({ group, version, plural }: ResourceFact): string =>
    `${group === '' ? '' : `${group}/`}${version}/${plural}`
  const typed = resources.map((resource) => ({ key: keyOf(resource), resource, schema: schemaOf(resource) }))
  return [
    '// Generated by scripts/generate/openapi-facts.ts from the Kubernetes 1.36 OpenAPI document. Do not edit.',
    "import type { ResourceFact } from '../facts.ts'",
    `import type {${typed.map(({ schema }) => ` ${names.get(schema) ?? ''},`).join('')} } from './types.ts'`,
    '',
    'export interface ResourceTypes {',
    ...typed.map(({ key, schema }) => `  '${key}': ${names.get(schema) ?? 'never'}`),
    '}',
    '',
    'export const resources: Readonly<Record<keyof ResourceTypes, ResourceFact>> = {',
    ...typed.map(({ key, resource, schema }) => `  '${key}': ${JSON.stringify({ ...resource, schema })},`),
    '}',
    '',
  ].join('\n')
}

/** The document's words, each once: what `kubectl explain` shows. Read only when somebody asks for OpenAPI. */
function descriptionsOf({ definitions, paths, parameters }: OpenApiDocument): Descriptions {
  const numbers = new Map<string, number>()
  const text = (words = ''): number => {
    if (!numbers.has(words)) numbers.set(words, numbers.size)
    return numbers.get(words) ?? 0
  }
  const resolve = (parameter: OpenApiParameter): OpenApiParameter =>
    parameter.$ref === undefined ? parameter : (parameters[parameter.$ref.slice('#/parameters/'.length)] ?? parameter)
  const described = Object.entries(definitions).map(([name, { description, properties = {} }]) => {
    const fields = Object.entries(properties).filter(([, field]) => field.description !== undefined)
    return [
      name,
      [text(description), Object.fromEntries(fields.map(([field, schema]) => [field, text(schema.description)]))],
    ] as const
  })
  const query: Record<string, QueryParameterFact> = {}
  const subresources: Record<string, Record<string, QueryParameterFact>> = {}
  for (const [path, item] of Object.entries(paths)) {
    const subresource = /^\/apis?\/.*?([a-z]+)\/\{name\}\/([a-z]+)$/.exec(path)
    const collect = (
      list: readonly OpenApiParameter[],
      into: Record<string, QueryParameterFact>,
      prefix: string,
    ): void => {
      for (const parameter of list.map(resolve)) {
        const { in: place, name = '', type = 'string', description } = parameter
        if (place === 'query') into[`${prefix}${name}`] ??= { type, text: text(description) }
      }
    }
    for (const [method, operation] of Object.entries(item) as [string, { parameters?: OpenApiParameter[] }][])
      if (method !== 'parameters') collect(operation.parameters ?? [], query, method === 'patch' ? 'patch ' : '')
    const shared = (item['parameters'] ?? []) as OpenApiParameter[]
    if (subresource === null) collect(shared, query, '')
    else {
      const own: Record<string, QueryParameterFact> = {}
      collect(shared, own, '')
      delete own['pretty']
      if (Object.keys(own).length > 0) subresources[`${subresource[1] ?? ''}/${subresource[2] ?? ''}`] ??= own
    }
  }
  return {
    notice:
      'Texts of the OpenAPI document of Kubernetes 1.36, Copyright The Kubernetes Authors, Apache License 2.0 (see NOTICE). Generated by scripts/generate/openapi-facts.ts.',
    definitions: Object.fromEntries(described),
    query,
    subresources,
    texts: [...numbers.keys()],
  }
}

const [source, flag] = process.argv.slice(2)
if (source === undefined) throw new Error('usage: openapi-facts.ts DOCUMENT.json.gz [--check]')
const document = JSON.parse(gunzipSync(readFileSync(source)).toString('utf8')) as OpenApiDocument
const definitions = Object.fromEntries(
  Object.entries(document.definitions).map(([name, s]) => [name, definitionOf(name, s)]),
)
const facts: Facts = { kubernetes: '1.36', definitions }
const folder = new URL('../../common/api/generated/', import.meta.url)
const outputs = {
  'facts.json': `${JSON.stringify(facts)}\n`,
  'types.ts': emitTypes(definitions),
  'descriptions.json': `${JSON.stringify(descriptionsOf(document))}\n`,
  'resources.ts': emitResources(resourcesOf(document), definitions),
}
mkdirSync(folder, { recursive: true })
for (const [file, text] of Object.entries(outputs)) {
  const target = new URL(file, folder)
  if (flag === '--check') {
    if (readFileSync(target, 'utf8') !== text)
      throw new Error(`${file} is stale: run scripts/generate/openapi-facts.ts`)
  } else writeFileSync(target, text)
}
