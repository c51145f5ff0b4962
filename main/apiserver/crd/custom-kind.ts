// One served version of a CustomResourceDefinition as a kind like any other.
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { isJsonObject, type JsonObject } from '../../../common/machinery/json.ts'
import { formatAge } from '../../../common/machinery/duration.ts'
import { mergeDefinitions } from '../../../common/machinery/schema/definitions.ts'
import type { Column, KindDefinition, ScaleDefinition, UpdateStrategy } from '../../kinds/kind.ts'
import { compareVersions } from '../discovery/version-order.ts'
import { kubernetesFacts } from '../registry/decode.ts'
import { type ServedResource, serveKind } from '../registry/served-resource.ts'
import { deepCopy } from '../registry/stored-object.ts'
import type { WebhookClient } from '../webhooks/client.ts'
import { conversionWebhookOf } from './conversion/conversion-webhook.ts'
import { newServedConversion } from './conversion/served-conversion.ts'
import { fieldDefinitionsOf } from './field-definitions.ts'
import { compileJsonPath } from './json-path.ts'
import { applyRules } from './rules/apply-rules.ts'
import { compileRules } from './rules/compile-rules.ts'
import type { StructuralHooks } from './structural-hooks.ts'
import { prune, type Schema, setDefaults, validate } from './structural-schema.ts'

/** All versions that the definition says are served. `revision`: what was stored up to it may follow an earlier schema. */
export const servedVersions = (
  definition: CustomResourceDefinition,
  webhooks: WebhookClient,
  revision: number,
): ServedResource[] =>
  (definition.spec.versions ?? [])
    .filter((version) => version.served)
    .map((version) => resourceOfVersion(definition, version, webhooks, revision))

/** The version objects are stored in, served or not: by it they can be found when the definition goes. */
export function storageVersion(
  definition: CustomResourceDefinition,
  webhooks: WebhookClient,
): ServedResource | undefined {
  const version = (definition.spec.versions ?? []).find(({ storage }) => storage)
  return version === undefined ? undefined : resourceOfVersion(definition, version, webhooks, 0)
}

function resourceOfVersion(
  definition: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  webhooks: WebhookClient,
  revision: number,
): ServedResource {
  const { group, versions = [] } = definition.spec
  const storageVersion = versions.find((candidate) => candidate.storage) ?? version
  const storage = storageVersion.name
  const schema = schemaOfVersion(storageVersion)
  const kind = customKind(definition, version)
  const stored = `${group}/${storage}`
  const webhook = conversionWebhookOf(definition, webhooks)
  const conversion =
    webhook === undefined ? undefined : newServedConversion(webhook, { served: `${group}/${version.name}`, stored })
  const terminating = definition.metadata?.deletionTimestamp !== undefined
  return serveKind(kind, {
    tracksGeneration: true,
    storedApiVersion: stored,
    renewal: {
      until: revision,
      renew: (object) => {
        prune(object, schema)
        setDefaults(object, schema)
      },
    },
    custom: { ...hooksOf(kind, version), terminating, ...(conversion === undefined ? {} : { conversion }) },
  })
}

/** As clients are warned that use the version; undefined when it is not deprecated. */
function deprecationOf(
  { spec }: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
): string | undefined {
  if (version.deprecated !== true) return undefined
  if (version.deprecationWarning !== undefined) return version.deprecationWarning
  const { group, names, versions = [] } = spec
  const [better] = versions
    .filter(({ name, served, deprecated }) => served && deprecated !== true && compareVersions(name, version.name) < 0)
    .map(({ name }) => name)
    .sort(compareVersions)
  const text = `${group}/${version.name} ${names.kind} is deprecated`
  return better === undefined ? text : `${text}; use ${group}/${better} ${names.kind}`
}

function customKind(definition: CustomResourceDefinition, version: CustomResourceDefinitionVersion): KindDefinition {
  const { spec } = definition
  const deprecation = deprecationOf(definition, version)
  const { group, names, scope } = spec
  const root = [...group.split('.').reverse(), version.name, names.kind].join('.')
  const hasStatus = version.subresources?.status !== undefined
  const selectable = (version.selectableFields ?? []).map(({ jsonPath }) => ({
    name: jsonPath.replace(/^\./, ''),
    read: compileJsonPath(jsonPath),
  }))
  const columns = columnsOf(version)
  const scale = version.subresources?.scale
  return {
    group,
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    scope: scope === 'Cluster' ? 'Cluster' : 'Namespaced',
    schema: { root, definitions: fieldDefinitionsOf(root, schemaOfVersion(version)) },
    ...(deprecation === undefined ? {} : { deprecation }),
    ...(names.shortNames === undefined ? {} : { shortNames: names.shortNames }),
    ...(names.categories === undefined ? {} : { categories: names.categories }),
    ...(hasStatus
      ? {
          prepareForCreate: (object: KubeObject) => {
            Reflect.deleteProperty(object, 'status')
          },
          update: {
            prepare: (object: KubeObject, old: KubeObject) => {
              copyField(object, old, 'status')
            },
          },
          status: statusOnly,
        }
      : {}),
    ...(scale === undefined ? {} : { scale: scaleOf(scale) }),
    selectableFields: (object) =>
      Object.fromEntries(selectable.map(({ name, read }) => [name, printable(read(object)[0])])),
    ...(columns === undefined ? {} : { columns }),
  }
}

const schemaOfVersion = (version: CustomResourceDefinitionVersion): Schema =>
  (version.schema?.openAPIV3Schema ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }) as Schema

function hooksOf(
  kind: KindDefinition,
  version: CustomResourceDefinitionVersion,
): Omit<StructuralHooks, 'terminating' | 'conversion'> {
  const schema = schemaOfVersion(version)
  const rules = compileRules(schema, true)
  const { root = '', definitions = {} } = typeof kind.schema === 'string' ? {} : kind.schema
  return {
    prune: (object) => prune(object, schema),
    setDefaults: (object) => {
      setDefaults(object, schema)
    },
    validate: (object, old, warn) => {
      const errors = validate(object, schema, '', old)
      // Rules rely on the types the schema gives: they are asked about objects that have them.
      return errors.length > 0 || rules === undefined ? errors : applyRules(rules, object, old, { warn })
    },
    openApiSchema: () => ({
      ...schema,
      properties: {
        apiVersion: { type: 'string' },
        kind: { type: 'string' },
        metadata: { type: 'object' },
        ...Object.fromEntries(
          Object.entries(schema.properties ?? {}).filter(
            ([name]) => name !== 'apiVersion' && name !== 'kind' && name !== 'metadata',
          ),
        ),
      },
    }),
    fieldDefinitions: { root, definitions: mergeDefinitions(definitions, kubernetesFacts.definitions) },
  }
}

/** The status door changes status alone. */
const statusOnly: UpdateStrategy<KubeObject> = {
  prepare: (object, old) => {
    for (const name of new Set([...Object.keys(object), ...Object.keys(old)])) {
      if (name !== 'status' && name !== 'metadata' && name !== 'apiVersion' && name !== 'kind')
        copyField(object, old, name)
    }
    object.metadata = { ...deepCopy(old.metadata), managedFields: object.metadata.managedFields }
  },
}

function copyField(object: KubeObject, old: KubeObject, name: string): void {
  const value = (old as unknown as JsonObject)[name]
  if (value === undefined) Reflect.deleteProperty(object, name)
  else (object as unknown as JsonObject)[name] = deepCopy(value)
}

function scaleOf(paths: {
  specReplicasPath: string
  statusReplicasPath: string
  labelSelectorPath?: string
}): ScaleDefinition<KubeObject> {
  const spec = compileJsonPath(paths.specReplicasPath)
  const status = compileJsonPath(paths.statusReplicasPath)
  const selector = paths.labelSelectorPath === undefined ? undefined : compileJsonPath(paths.labelSelectorPath)
  const number = (values: unknown[]): number => (typeof values[0] === 'number' ? values[0] : 0)
  return {
    specReplicas: (object) => number(spec(object)),
    setSpecReplicas: (object, replicas) => {
      setAt(object as unknown as JsonObject, paths.specReplicasPath.split('.').slice(1), replicas)
    },
    statusReplicas: (object) => number(status(object)),
    selector: (object) => printable(selector?.(object)[0]),
  }
}

function setAt(target: JsonObject, [first = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) target[first] = value
  else {
    const inner = isJsonObject(target[first]) ? target[first] : {}
    target[first] = inner
    setAt(inner, rest, value)
  }
}

function columnsOf(version: CustomResourceDefinitionVersion): Column[] | undefined {
  const { additionalPrinterColumns: given } = version
  if (given === undefined || given.length === 0) return undefined
  return given.map(({ name, type, format, description, priority, jsonPath }) => {
    const read = compileJsonPath(jsonPath)
    const isDate = type === 'date'
    return {
      name,
      type: isDate ? 'date' : (type as Column['type']),
      ...(format === undefined ? {} : { format }),
      ...(description === undefined ? {} : { description }),
      priority: (priority ?? 0) > 0 ? 1 : 0,
      cell: (object, now) => {
        const values = read(object)
        const [value] = values
        if (value === undefined || value === null) return null
        if (isDate) return formatAge(printable(value), now)
        if (values.length > 1) return values.map(printable).join(',')
        return typeof value === 'number' || typeof value === 'boolean' ? value : printable(value)
      },
    }
  })
}

function printable(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}
