// The paths of a resource as OpenAPI v2 operations, named, grouped and described as upstream does: clients are generated from them.
import type { SubresourceInfo } from '../discovery/discovery.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import { groupTitle, schemaNameOf, tagOf, titleCase, type GroupVersionKind } from './naming.ts'
import { bodyParameter, pathParameter, type Parameter, type Parameters } from './parameters.ts'

export type PathItem = Record<string, unknown>
export type Paths = Record<string, PathItem>

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.'
/** Definitions that operations refer to besides the kinds' own. */
export const operationSchemas = ['DeleteOptions', 'Patch', 'Status', 'WatchEvent'].map((name) => `${meta}${name}`)

const encodings = ['application/json', 'application/yaml']
const protobuf = 'application/vnd.kubernetes.protobuf'
const jsonPatches = ['application/json-patch+json', 'application/merge-patch+json']

interface Operation {
  readonly id: string
  readonly action: string
  readonly description: string
  readonly target?: GroupVersionKind
  readonly parameters?: readonly Parameter[]
  /** Definition of the answer. */
  readonly answers: string
  readonly codes?: readonly number[]
  readonly consumes?: readonly string[]
  readonly stream?: boolean
}

export class ResourceOperations {
  readonly #resource: ServedResource
  readonly #schema: string
  readonly #parameters: Parameters
  readonly #base: string
  readonly #collection: string
  readonly #gvk: GroupVersionKind
  /** "CoreV1" and "Namespaced", as parts of operation ids. */
  readonly #title: string
  readonly #scope: string

  /** `schema`: definition of the kind. */
  constructor(resource: ServedResource, schema: string, parameters: Parameters) {
    const { group, version, kind, plural } = resource.kind
    this.#resource = resource
    this.#schema = schema
    this.#parameters = parameters
    this.#base = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
    this.#scope = resource.namespaced ? 'Namespaced' : ''
    this.#collection = `${this.#base}/${resource.namespaced ? 'namespaces/{namespace}/' : ''}${plural}`
    this.#gvk = { group, version, kind }
    this.#title = `${groupTitle(group)}${titleCase(version)}`
  }

  addTo(paths: Paths, subresources: readonly SubresourceInfo[]): void {
    const { verbs, namespaced } = this.#resource
    const { plural, kind } = this.#resource.kind
    this.#put(paths, this.#collection, this.#collectionItem(), [])
    if (namespaced && verbs.has('list')) {
      const list = this.#list(`list${this.#title}${kind}ForAllNamespaces`)
      paths[`${this.#base}/${plural}`] = { get: list, parameters: this.#listParameters() }
    }
    this.#put(paths, `${this.#collection}/{name}`, this.#objectItem(), [this.#name(kind)])
    if (verbs.has('watch')) this.#addWatches(paths)
    for (const subresource of subresources) this.#addSubresource(paths, subresource)
  }

  /** A path is there when it has operations. */
  #put(paths: Paths, path: string, item: PathItem, own: readonly Parameter[], pretty = true): void {
    if (Object.keys(item).length === 0) return
    const namespace = this.#resource.namespaced ? [this.#parameters.namespace()] : []
    paths[path] = { ...item, parameters: [...own, ...namespace, ...(pretty ? this.#parameters.pretty() : [])] }
  }

  #name = (kind: string): Parameter => pathParameter('name', `name of the ${kind}`)
  #listParameters = (): Parameter[] => [...this.#parameters.list(), ...this.#parameters.pretty()]

  #collectionItem(): PathItem {
    const { verbs } = this.#resource
    const { kind } = this.#gvk
    const id = `${this.#title}${this.#scope}${kind}`
    const item: PathItem = {}
    if (verbs.has('deletecollection'))
      item['delete'] = this.#operation({
        id: `delete${this.#title}Collection${this.#scope}${kind}`,
        action: 'deletecollection',
        description: `delete collection of ${kind}`,
        parameters: [bodyParameter(`${meta}DeleteOptions`, false), ...this.#parameters.removeCollection()],
        answers: `${meta}Status`,
      })
    if (verbs.has('list')) {
      item['get'] = this.#list(`list${id}`, this.#parameters.list())
    }
    if (verbs.has('create'))
      item['post'] = this.#operation({
        id: `create${id}`,
        action: 'post',
        description: `create ${article(kind)}`,
        parameters: [bodyParameter(this.#schema, true), ...this.#parameters.write()],
        answers: this.#schema,
        codes: [200, 201, 202],
      })
    return item
  }

  #list(id: string, parameters: readonly Parameter[] = []): object {
    return this.#operation({
      id,
      action: 'list',
      description: `list or watch objects of kind ${this.#gvk.kind}`,
      parameters,
      answers: `${this.#schema}List`,
      stream: true,
    })
  }

  #objectItem(): PathItem {
    const { verbs } = this.#resource
    const { kind } = this.#gvk
    const item: PathItem = {}
    if (verbs.has('delete'))
      item['delete'] = this.#operation({
        id: `delete${this.#title}${this.#scope}${kind}`,
        action: 'delete',
        description: `delete ${article(kind)}`,
        parameters: [bodyParameter(`${meta}DeleteOptions`, false), ...this.#parameters.remove()],
        answers: this.#resource.kind.returnsDeletedObject === true ? this.#schema : `${meta}Status`,
        codes: [200, 202],
      })
    return { ...item, ...this.#reads({ schema: this.#schema, verbs: [...verbs], of: 'the specified', suffix: '' }) }
  }

  /** get, update and patch of the object or of a part of it. */
  #reads(part: {
    readonly schema: string
    readonly verbs: readonly string[]
    readonly of: string
    readonly suffix: string
    readonly target?: GroupVersionKind
  }): PathItem {
    const { schema, verbs, target = this.#gvk } = part
    const { kind } = this.#gvk
    const id = `${this.#title}${this.#scope}${kind}${part.suffix}`
    const item: PathItem = {}
    if (verbs.includes('get'))
      item['get'] = this.#operation({
        id: `read${id}`,
        action: 'get',
        description: `read ${part.of} ${kind}`,
        target,
        answers: schema,
      })
    if (verbs.includes('patch'))
      item['patch'] = this.#operation({
        id: `patch${id}`,
        action: 'patch',
        description: `partially update ${part.of} ${kind}`,
        target,
        parameters: [bodyParameter(`${meta}Patch`, true), ...this.#parameters.patch()],
        answers: schema,
        codes: [200, 201],
        consumes: [
          ...jsonPatches,
          ...(this.#resource.custom === undefined ? ['application/strategic-merge-patch+json'] : []),
          'application/apply-patch+yaml',
        ],
      })
    if (verbs.includes('update'))
      item['put'] = this.#operation({
        id: `replace${id}`,
        action: 'put',
        description: `replace ${part.of} ${kind}`,
        target,
        parameters: [bodyParameter(schema, true), ...this.#parameters.write()],
        answers: schema,
        codes: [200, 201],
      })
    return item
  }

  #addWatches(paths: Paths): void {
    const { kind, plural } = this.#resource.kind
    const { namespaced } = this.#resource
    const watchBase = `${this.#base}/watch`
    const watch = (id: string, action: string, description: string): object =>
      this.#operation({ id, action, description, answers: `${meta}WatchEvent`, stream: true })
    const many = `watch individual changes to a list of ${kind}. deprecated: use the 'watch' parameter with a list operation instead.`
    const one = `watch changes to an object of kind ${kind}. deprecated: use the 'watch' parameter with a list operation instead, filtered to a single item with the 'fieldSelector' parameter.`
    const parameters = this.#listParameters()
    const namespace = namespaced ? [this.#parameters.namespace()] : []
    const place = `${watchBase}/${namespaced ? 'namespaces/{namespace}/' : ''}${plural}`
    if (namespaced)
      paths[`${watchBase}/${plural}`] = {
        get: watch(`watch${this.#title}${kind}ListForAllNamespaces`, 'watchlist', many),
        parameters,
      }
    paths[place] = {
      get: watch(`watch${this.#title}${this.#scope}${kind}List`, 'watchlist', many),
      parameters: [...parameters, ...namespace],
    }
    paths[`${place}/{name}`] = {
      get: watch(`watch${this.#title}${this.#scope}${kind}`, 'watch', one),
      parameters: [...parameters, this.#name(kind), ...namespace],
    }
  }

  #addSubresource(paths: Paths, { name, verbs, ...target }: SubresourceInfo): void {
    const { kind, plural } = this.#resource.kind
    const path = `${this.#collection}/{name}/${name}`
    const own = this.#parameters.subresource(`${plural}/${name}`)
    if (target.kind.endsWith('Options')) {
      this.#addConnects(paths, { path, name, verbs, target, own })
      return
    }
    const schema = target.kind === kind ? this.#schema : (schemaNameOf(target) ?? this.#schema)
    const of = `${name} of the specified`
    // A log is text, whatever its kind says.
    const item = this.#reads({ schema: name === 'log' ? '' : schema, verbs, of, suffix: titleCase(name), target })
    const isCreated = verbs.includes('create') && target.kind !== kind
    if (isCreated)
      item['post'] = this.#operation({
        id: `create${this.#title}${this.#scope}${kind}${titleCase(name)}`,
        action: 'post',
        description: `create ${name} of ${article(kind)}`,
        target,
        parameters: [bodyParameter(schema, true)],
        answers: schema,
        codes: [200, 201, 202],
      })
    this.#put(paths, path, item, [...own, this.#name(target.kind)])
  }

  /** Streams and proxies: one operation per method they take, and the same with a path behind for proxies. */
  #addConnects(
    paths: Paths,
    connect: {
      readonly path: string
      readonly name: string
      readonly verbs: readonly string[]
      readonly target: GroupVersionKind
      readonly own: readonly Parameter[]
    },
  ): void {
    const { path, name, verbs, target, own } = connect
    const { kind } = this.#gvk
    const methods = ['get', 'post', 'put', 'patch', 'delete'].filter((method) =>
      verbs.includes({ post: 'create', put: 'update' }[method] ?? method),
    )
    if (methods.includes('delete')) methods.push('head', 'options')
    const item = (suffix: string): PathItem =>
      Object.fromEntries(
        methods.map((method) => [
          method,
          this.#operation({
            id: `connect${this.#title}${titleCase(method)}${this.#scope}${kind}${titleCase(name)}${suffix}`,
            action: 'connect',
            description: `connect ${method.toUpperCase()} requests to ${name} of ${kind}`,
            target,
            answers: '',
          }),
        ]),
      )
    this.#put(paths, path, item(''), [...own, this.#name(target.kind)], false)
    if (name === 'proxy')
      this.#put(
        paths,
        `${path}/{path}`,
        item('WithPath'),
        [...own, this.#name(target.kind), pathParameter('path', 'path to the resource')],
        false,
      )
  }

  #operation({ id, action, description, target = this.#gvk, answers, codes = [200], ...rest }: Operation): object {
    const types = this.#resource.custom === undefined ? [...encodings, protobuf] : encodings
    const streams = rest.stream === true ? types.filter((type) => !type.endsWith('yaml')) : []
    const schema = answers === '' ? { type: 'string' } : { $ref: `#/definitions/${answers}` }
    const responses = codes.map((code) => [String(code), { description: codeNames[code] ?? '', schema }] as const)
    return {
      consumes: rest.consumes ?? ['*/*'],
      description,
      operationId: id,
      ...(rest.parameters === undefined || rest.parameters.length === 0 ? {} : { parameters: rest.parameters }),
      produces: answers === '' ? ['*/*'] : [...types, ...streams.map((type) => `${type};stream=watch`)],
      responses: { ...Object.fromEntries(responses), 401: { description: 'Unauthorized' } },
      schemes: ['https'],
      tags: [tagOf(this.#gvk.group, this.#gvk.version)],
      'x-kubernetes-action': action,
      'x-kubernetes-group-version-kind': target,
    }
  }
}

const codeNames: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' }

const article = (kind: string): string =>
  kind === 'Endpoints' ? kind : `${/^[AEIOU]/.test(kind) ? 'an' : 'a'} ${kind}`
