// OpenAPI documents: v3 per group-version with content hashes, v2 as one, both made from the served resources when first asked.
import { createHash } from 'node:crypto'
import type { Definition } from '../../../common/api/facts.ts'
import { gitVersion } from '../../../common/api/kubernetes-version.ts'
import { notAcceptable, StatusError } from '../../../common/machinery/status.ts'
import { parseAccept } from '../chain/negotiation.ts'
import { sendBytes } from '../chain/respond.ts'
import type { SubresourceInfo } from '../discovery/discovery.ts'
import { schemaOf } from '../registry/decode.ts'
import type { ResourceTable } from '../registry/resource-table.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import type { PathRequest } from '../routes/paths.ts'
import { addOperations } from './operations.ts'
import {
  collectDefinitions,
  definitionSchema,
  type JsonSchema,
  type SchemaDialect,
  v2Dialect,
  v3Dialect,
} from './schemas.ts'

interface Document {
  readonly bytes: Buffer
  readonly hash: string
}

export interface OpenApiOptions {
  readonly resources: ResourceTable
  readonly subresourcesOf: (resource: ServedResource) => readonly SubresourceInfo[]
}

export class OpenApi {
  readonly #options: OpenApiOptions
  readonly #documents = new Map<string, Document>()
  #generation = 0

  constructor(options: OpenApiOptions) {
    this.#options = options
  }

  async serve({ req, to, query }: PathRequest, path: string): Promise<void> {
    if (this.#generation !== this.#options.resources.generation) {
      this.#generation = this.#options.resources.generation
      this.#documents.clear()
    }
    if (path === '/openapi/v2') requireJson(req.headers.accept)
    const document =
      path === '/openapi/v3'
        ? this.#index()
        : path === '/openapi/v2'
          ? this.#v2()
          : this.#v3(path.slice('/openapi/v3/'.length))
    if (document === undefined)
      throw new StatusError({
        code: 404,
        reason: 'NotFound',
        message: 'the server could not find the requested resource',
        details: {},
      })
    const etag = `"${document.hash}"`
    // A document asked for by its hash never changes.
    const caching: Record<string, string> =
      query.get('hash') === document.hash
        ? { 'cache-control': 'public, immutable', expires: new Date(Date.now() + 365 * 86_400_000).toUTCString() }
        : { 'cache-control': 'no-cache, private' }
    const headers = { etag, vary: 'Accept', ...caching }
    if (req.headers['if-none-match'] === etag) await sendBytes(to, 304, 'application/json', Buffer.alloc(0), headers)
    else await sendBytes(to, 200, 'application/json', document.bytes, headers)
  }

  #groupVersions(): Map<string, ServedResource[]> {
    const found = new Map<string, ServedResource[]>()
    for (const resource of this.#options.resources.all()) {
      const { group, version } = resource.kind
      const path = group === '' ? `api/${version}` : `apis/${group}/${version}`
      const list = found.get(path)
      if (list === undefined) found.set(path, [resource])
      else list.push(resource)
    }
    return found
  }

  #index(): Document {
    return this.#remember('index', () => {
      const paths = [...this.#groupVersions().keys()].map(
        (path) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${this.#v3(path)?.hash ?? ''}` }] as const,
      )
      return { paths: Object.fromEntries(paths) }
    })
  }

  #v3(path: string): Document | undefined {
    const resources = this.#groupVersions().get(path)
    if (resources === undefined) return undefined
    return this.#remember(path, () => {
      const { schemas, paths } = this.#describe(resources, v3Dialect, false)
      return {
        openapi: '3.0.0',
        info: { title: 'Kubernetes', version: gitVersion },
        paths,
        components: { schemas },
      }
    })
  }

  #v2(): Document {
    return this.#remember('v2', () => {
      const { schemas, paths } = this.#describe(this.#options.resources.all(), v2Dialect, true)
      return {
        swagger: '2.0',
        info: { title: 'Kubernetes', version: gitVersion },
        paths,
        definitions: schemas,
      }
    })
  }

  #describe(
    resources: readonly ServedResource[],
    dialect: SchemaDialect,
    v2: boolean,
  ): { schemas: Record<string, JsonSchema>; paths: Record<string, Record<string, unknown>> } {
    const definitions = new Map<string, Definition>()
    const kinds = new Map<string, object[]>()
    const own: Record<string, JsonSchema> = {}
    const paths: Record<string, Record<string, unknown>> = {}
    for (const resource of resources) {
      const { kind } = resource
      const gvk = { group: kind.group, version: kind.version, kind: kind.kind }
      let name: string
      if (resource.custom === undefined) {
        const { root, definitions: all } = schemaOf(kind)
        name = root
        collectDefinitions(root, all, definitions)
        kinds.set(root, [...(kinds.get(root) ?? []), gvk])
        if (resource.verbs.has('list'))
          own[`${root}List`] = listSchema(root, { ...gvk, kind: `${kind.kind}List` }, dialect)
      } else {
        name = customSchemaName(resource)
        own[name] = { ...resource.custom.openApiSchema(), 'x-kubernetes-group-version-kind': [gvk] }
        own[`${name}List`] = listSchema(name, { ...gvk, kind: `${kind.kind}List` }, dialect)
      }
      collectDefinitions(
        'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta',
        schemaOf({ ...kind, schema: '' }).definitions,
        definitions,
      )
      collectDefinitions(
        'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
        schemaOf({ ...kind, schema: '' }).definitions,
        definitions,
      )
      addOperations(paths, resource, this.#options.subresourcesOf(resource), { name, refPrefix: dialect.refPrefix, v2 })
    }
    const schemas: Record<string, JsonSchema> = { ...own }
    for (const [name, definition] of definitions) {
      const schema = definitionSchema(definition, dialect)
      const gvks = kinds.get(name) ?? (definition.gvk === undefined ? undefined : [definition.gvk])
      schemas[name] = gvks === undefined ? schema : { ...schema, 'x-kubernetes-group-version-kind': gvks }
    }
    return { schemas, paths }
  }

  #remember(key: string, make: () => object): Document {
    let document = this.#documents.get(key)
    if (document === undefined) {
      const bytes = Buffer.from(JSON.stringify(make()))
      document = { bytes, hash: createHash('sha512').update(bytes).digest('hex').toUpperCase() }
      this.#documents.set(key, document)
    }
    return document
  }
}

function requireJson(accept: string | undefined): void {
  if (accept === undefined || accept === '') return
  if (parseAccept(accept).some(({ type }) => type === 'application/json' || type === '*/*' || type === 'application/*'))
    return
  throw notAcceptable('only the following media types are accepted: application/json')
}

/** "io.example.v1.Widget" for group example.io, as upstream names them. */
function customSchemaName({ kind }: ServedResource): string {
  return [...kind.group.split('.').reverse(), kind.version, kind.kind].join('.')
}

function listSchema(item: string, gvk: object, dialect: SchemaDialect): JsonSchema {
  const reference = (name: string): JsonSchema => ({ $ref: `${dialect.refPrefix}${name}` })
  return {
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: reference('io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta'),
      items: { type: 'array', items: reference(item) },
    },
    'x-kubernetes-group-version-kind': [gvk],
  }
}
