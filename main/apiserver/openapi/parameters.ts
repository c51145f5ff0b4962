// Parameters of operations, in the form of OpenAPI v2. Those that many operations share are kept once and referred to.
import { createHash } from 'node:crypto'
import type { Descriptions, QueryParameterFact } from '../../../common/api/descriptions.ts'

export type Parameter = Readonly<Record<string, unknown>>

const list = [
  'allowWatchBookmarks',
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'timeoutSeconds',
]
const write = ['dryRun', 'fieldManager', 'fieldValidation']
/** Clients before 1.27 look for these in the operations themselves, to learn whether a server knows them. */
const inline: ReadonlySet<string> = new Set(['dryRun', 'fieldValidation'])
const remove = ['dryRun', 'gracePeriodSeconds', 'orphanDependents', 'propagationPolicy']

export class Parameters {
  readonly #descriptions: Descriptions
  /** By name in `parameters` of the document. */
  readonly shared: Record<string, Parameter> = {}
  readonly #references = new Map<string, Parameter>()

  constructor(descriptions: Descriptions) {
    this.#descriptions = descriptions
  }

  list = (): Parameter[] => this.#query([...list, 'watch'])
  write = (): Parameter[] => this.#query(write)
  patch = (): Parameter[] => this.#query([...write, 'force'], 'patch ')
  remove = (): Parameter[] => this.#query(remove)
  removeCollection = (): Parameter[] =>
    this.#query([...new Set([...list.filter((name) => name !== 'allowWatchBookmarks'), ...remove])].sort())
  pretty = (): Parameter[] => this.#query(['pretty'])
  namespace = (): Parameter =>
    this.#share(pathParameter('namespace', 'object name and auth scope, such as for teams and projects'))

  /** Query parameters of one subresource ("pods/log"), besides those every operation has. */
  subresource(name: string): Parameter[] {
    return Object.entries(this.#descriptions.subresources[name] ?? {}).map(([parameter, fact]) =>
      this.#share(this.#queryParameter(parameter, fact)),
    )
  }

  resolve(parameter: Parameter): Parameter {
    const { $ref } = parameter
    return typeof $ref === 'string' ? (this.shared[$ref.slice('#/parameters/'.length)] ?? parameter) : parameter
  }

  #query(names: readonly string[], prefix = ''): Parameter[] {
    return names.flatMap((name) => {
      const key = `${prefix}${name}`
      const known = this.#references.get(key)
      if (known !== undefined) return [known]
      const fact = this.#descriptions.query[key]
      if (fact === undefined) return []
      const parameter = this.#queryParameter(name, fact)
      const reference = inline.has(name) ? parameter : this.#share(parameter)
      this.#references.set(key, reference)
      return [reference]
    })
  }

  #queryParameter(name: string, { type, text }: QueryParameterFact): Parameter {
    return { description: this.#descriptions.texts[text] ?? '', in: 'query', name, type, uniqueItems: true }
  }

  #share(parameter: Parameter): Parameter {
    const hash = createHash('sha256').update(JSON.stringify(parameter)).digest('base64url').slice(0, 8)
    const key = `${String(parameter['name'])}-${hash}`
    this.shared[key] ??= parameter
    return { $ref: `#/parameters/${key}` }
  }
}

export const pathParameter = (name: string, description: string): Parameter => ({
  description,
  in: 'path',
  name,
  required: true,
  type: 'string',
  uniqueItems: true,
})

export const bodyParameter = (definition: string, required: boolean): Parameter => ({
  in: 'body',
  name: 'body',
  ...(required ? { required } : {}),
  schema: { $ref: `#/definitions/${definition}` },
})
