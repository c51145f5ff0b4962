// Makes OpenAPI documents of the served resources: v3 one per group and version, v2 one of all.
import type { Definition } from '../../../common/api/facts.ts'
import type { Descriptions } from '../../../common/api/descriptions.ts'
import type { SubresourceInfo } from '../discovery/discovery.ts'
import { kubernetesVersion } from '../../../common/api/kubernetes-version.ts'
import { kubernetesFacts, schemaOf } from '../registry/decode.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import { customSchema, listSchema } from './custom-schemas.ts'
import { discoverySchemas, fixedPaths, groupPath, versionPath } from './discovery-operations.ts'
import { loadDescriptions } from './load-descriptions.ts'
import { customSchemaName, schemaNameOf } from './naming.ts'
import { operationSchemas, ResourceOperations, type Paths } from './operations.ts'
import { Parameters } from './parameters.ts'
import {
  collectDefinitions,
  definitionSchema,
  type DefinitionTexts,
  type JsonSchema,
  type SchemaDialect,
  v2Dialect,
  v3Dialect,
} from './schemas.ts'
import { pathsToV3 } from './to-v3.ts'

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.'
const info = { title: 'Kubernetes', version: `v${kubernetesVersion}` }
const security = {
  BearerToken: { description: 'Bearer Token authentication', in: 'header', name: 'authorization', type: 'apiKey' },
}

export interface DocumentSource {
  readonly resources: readonly ServedResource[]
  readonly subresourcesOf: (resource: ServedResource) => readonly SubresourceInfo[]
}

/** Documents of one moment; made, used and dropped, because the words they are made of are many. */
export class DocumentBuilder {
  readonly #source: DocumentSource
  readonly #descriptions: Descriptions = loadDescriptions()

  constructor(source: DocumentSource) {
    this.#source = source
  }

  /** `path`: "api/v1", "apis/apps", "version"; undefined when nothing is served there. */
  v3(path: string): object | undefined {
    const parameters = new Parameters(this.#descriptions)
    const paths: Paths = {}
    const schemas: Record<string, JsonSchema> = {}
    const definitions = new Map<string, Definition>()
    const [root = '', group = '', version = '', ...more] = path.split('/')
    const own = this.#source.resources.filter(({ kind }) => groupVersionPath(kind.group, kind.version) === path)
    if (Object.hasOwn(fixedPaths, path)) Object.assign(paths, fixedPaths[path])
    else if (own.length > 0) {
      Object.assign(paths, root === 'api' ? versionPath('', group) : versionPath(group, version))
      for (const resource of own) this.#add(resource, { paths, parameters, schemas, definitions, dialect: v3Dialect })
    } else if (
      root === 'apis' &&
      version === '' &&
      more.length === 0 &&
      this.#source.resources.some(({ kind }) => kind.group === group && group !== '')
    )
      Object.assign(paths, groupPath(group))
    else return undefined
    for (const name of discoverySchemas) if (refersTo(paths, name)) this.#collect(name, definitions)
    this.#describe(definitions, v3Dialect, schemas)
    return {
      openapi: '3.0.0',
      info,
      paths: pathsToV3(paths, parameters),
      components: { ...(Object.keys(schemas).length === 0 ? {} : { schemas }), securitySchemes: security },
      security: [{ BearerToken: [] }],
    }
  }

  v2(): { readonly swagger: string; paths: Paths; definitions: JsonSchema; parameters: JsonSchema } & Record<
    string,
    unknown
  > {
    const parameters = new Parameters(this.#descriptions)
    const paths: Paths = Object.assign({}, ...Object.values(fixedPaths)) as Paths
    const schemas: Record<string, JsonSchema> = {}
    const definitions = new Map<string, Definition>()
    for (const resource of this.#source.resources) {
      const { group, version } = resource.kind
      Object.assign(paths, group === '' ? {} : groupPath(group), versionPath(group, version))
      this.#add(resource, { paths, parameters, schemas, definitions, dialect: v2Dialect })
    }
    for (const name of discoverySchemas) this.#collect(name, definitions)
    this.#describe(definitions, v2Dialect, schemas)
    return {
      swagger: '2.0',
      info,
      paths,
      definitions: schemas,
      parameters: parameters.shared,
      securityDefinitions: security,
      security: [{ BearerToken: [] }],
    }
  }

  #add(
    resource: ServedResource,
    into: {
      readonly paths: Paths
      readonly parameters: Parameters
      readonly schemas: Record<string, JsonSchema>
      readonly definitions: Map<string, Definition>
      readonly dialect: SchemaDialect
    },
  ): void {
    const { schemas, definitions, dialect } = into
    const { group, version, kind } = resource.kind
    const gvk = { group, version, kind }
    const subresources = this.#source.subresourcesOf(resource)
    let name: string
    if (resource.custom === undefined) {
      const { root, definitions: all } = schemaOf(resource.kind)
      name = root
      collectDefinitions(root, all, definitions)
      collectDefinitions(`${root}List`, all, definitions)
    } else {
      name = customSchemaName(gvk)
      schemas[name] = {
        ...customSchema(resource.custom.openApiSchema(), this.#typeFields(), dialect),
        'x-kubernetes-group-version-kind': [gvk],
      }
    }
    if (resource.verbs.has('list') && !definitions.has(`${name}List`))
      schemas[`${name}List`] = listSchema(name, kind, { ...gvk, kind: `${kind}List` }, dialect, this.#typeFields())
    for (const needed of [`${meta}ListMeta`, `${meta}ObjectMeta`, ...operationSchemas])
      this.#collect(needed, definitions)
    for (const subresource of subresources) {
      const schema = schemaNameOf(subresource)
      if (schema !== undefined) this.#collect(schema, definitions)
    }
    new ResourceOperations(resource, name, into.parameters).addTo(into.paths, subresources)
  }

  #collect(name: string, into: Map<string, Definition>): void {
    collectDefinitions(name, kubernetesFacts.definitions, into)
  }

  #describe(
    definitions: ReadonlyMap<string, Definition>,
    dialect: SchemaDialect,
    into: Record<string, JsonSchema>,
  ): void {
    for (const [name, definition] of definitions) {
      const schema = definitionSchema(definition, dialect, this.#textsOf(name))
      into[name] =
        definition.gvk === undefined ? schema : { ...schema, 'x-kubernetes-group-version-kind': [definition.gvk] }
    }
  }

  #textsOf(name: string): DefinitionTexts | undefined {
    const { definitions, texts } = this.#descriptions
    const known = Object.hasOwn(definitions, name) ? definitions[name] : undefined
    if (known === undefined) return undefined
    const [text, fields] = known
    const textOf = (index: number | undefined): string | undefined => (index === undefined ? undefined : texts[index])
    return { text: textOf(text) ?? '', field: (field) => textOf(fields[field]) }
  }

  /** apiVersion and kind, described as on every Kubernetes object. */
  #typeFields(): JsonSchema {
    const texts = this.#textsOf(`${meta}Status`)
    return Object.fromEntries(
      ['apiVersion', 'kind'].map((field) => [field, { description: texts?.field(field) ?? '', type: 'string' }]),
    )
  }
}

export const groupVersionPath = (group: string, version: string): string =>
  group === '' ? `api/${version}` : `apis/${group}/${version}`

const refersTo = (paths: Paths, name: string): boolean => JSON.stringify(paths).includes(`/${name}"`)
