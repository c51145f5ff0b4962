// Paths of a resource as OpenAPI operations, with what clients look for: group-version-kind, action and query parameters.
import type { ServedResource } from '../registry/served-resource.ts'
import type { SubresourceInfo } from '../discovery/discovery.ts'

export interface Operations {
  readonly paths: Record<string, Record<string, unknown>>
}

const queryParameter = (name: string, type: string): object => ({
  name,
  in: 'query',
  uniqueItems: true,
  schema: { type, uniqueItems: true },
})
const pathParameter = (name: string): object => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string', uniqueItems: true },
})

const listParameters = [
  ...['continue', 'fieldSelector', 'labelSelector', 'resourceVersion', 'resourceVersionMatch'].map((name) =>
    queryParameter(name, 'string'),
  ),
  ...['limit', 'timeoutSeconds'].map((name) => queryParameter(name, 'integer')),
  ...['allowWatchBookmarks', 'sendInitialEvents', 'watch'].map((name) => queryParameter(name, 'boolean')),
]
const writeParameters = ['dryRun', 'fieldManager', 'fieldValidation'].map((name) => queryParameter(name, 'string'))
const patchParameters = [...writeParameters, queryParameter('force', 'boolean')]
const deleteParameters = [
  queryParameter('dryRun', 'string'),
  queryParameter('gracePeriodSeconds', 'integer'),
  queryParameter('orphanDependents', 'boolean'),
  queryParameter('propagationPolicy', 'string'),
]

interface Shape {
  readonly ref: string | undefined
  readonly refPrefix: string
  readonly v2: boolean
}

/** Adds all paths of one resource to `paths`. `schema`: component name of its objects. */
export function addOperations(
  paths: Record<string, Record<string, unknown>>,
  resource: ServedResource,
  subresources: readonly SubresourceInfo[],
  schema: { readonly name: string | undefined; readonly refPrefix: string; readonly v2: boolean },
): void {
  const { kind } = resource
  const base = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`
  const collection = resource.namespaced ? `${base}/namespaces/{namespace}/${kind.plural}` : `${base}/${kind.plural}`
  const gvk = { group: kind.group, version: kind.version, kind: kind.kind }
  const shape: Shape = { ref: schema.name, refPrefix: schema.refPrefix, v2: schema.v2 }
  const operation = (action: string, parameters: readonly object[], target = gvk, body = false): object =>
    describe(kind.kind, action, parameters, target, shape, body)
  const { verbs } = resource
  const onCollection: Record<string, unknown> = { parameters: resource.namespaced ? [pathParameter('namespace')] : [] }
  if (verbs.has('list')) onCollection['get'] = operation('list', listParameters)
  if (verbs.has('create')) onCollection['post'] = operation('post', writeParameters, gvk, true)
  if (verbs.has('deletecollection'))
    onCollection['delete'] = operation('deletecollection', [...deleteParameters, ...listParameters])
  paths[collection] = onCollection
  if (resource.namespaced && verbs.has('list'))
    paths[`${base}/${kind.plural}`] = { get: operation('list', listParameters) }
  const pathParameters = [pathParameter('name'), ...(resource.namespaced ? [pathParameter('namespace')] : [])]
  const onObject: Record<string, unknown> = { parameters: pathParameters }
  if (verbs.has('get')) onObject['get'] = operation('get', [])
  if (verbs.has('update')) onObject['put'] = operation('put', writeParameters, gvk, true)
  if (verbs.has('patch')) onObject['patch'] = operation('patch', patchParameters, gvk, true)
  if (verbs.has('delete')) onObject['delete'] = operation('delete', deleteParameters)
  if (Object.keys(onObject).length > 1) paths[`${collection}/{name}`] = onObject
  for (const { name, group, version, kind: subKind, verbs: subVerbs } of subresources) {
    const target = { group, version, kind: subKind }
    const onSubresource: Record<string, unknown> = { parameters: pathParameters }
    if (subVerbs.includes('get')) onSubresource['get'] = operation('get', [], target)
    if (subVerbs.includes('update')) onSubresource['put'] = operation('put', writeParameters, target, true)
    if (subVerbs.includes('patch')) onSubresource['patch'] = operation('patch', patchParameters, target, true)
    if (subVerbs.includes('create')) onSubresource['post'] = operation('post', writeParameters, target, true)
    paths[`${collection}/{name}/${name}`] = onSubresource
  }
}

function describe(
  kind: string,
  action: string,
  parameters: readonly object[],
  gvk: object,
  shape: Shape,
  body: boolean,
): object {
  const reference = shape.ref === undefined ? { type: 'object' } : { $ref: `${shape.refPrefix}${shape.ref}` }
  const common = {
    operationId: `${action}${kind}`,
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk,
  }
  if (shape.v2) {
    const flat = parameters.map((parameter) => {
      const { schema, ...rest } = parameter as { schema: object }
      return { ...rest, ...schema }
    })
    return {
      ...common,
      parameters: body
        ? [
            ...flat,
            { name: 'body', in: 'body', required: true, schema: action === 'patch' ? { type: 'object' } : reference },
          ]
        : flat,
      responses: { 200: { description: 'OK', schema: reference } },
    }
  }
  return {
    ...common,
    parameters,
    ...(body
      ? { requestBody: { content: { '*/*': { schema: action === 'patch' ? { type: 'object' } : reference } } } }
      : {}),
    responses: { 200: { description: 'OK', content: { 'application/json': { schema: reference } } } },
  }
}
