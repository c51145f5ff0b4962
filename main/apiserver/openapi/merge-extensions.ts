// What an extension API server says of itself in OpenAPI v2, put into this server's document: the paths of its group and version, and
// the definitions these need. A name both use for different things gets a number.
import { jsonEqual } from '../../../common/machinery/json.ts'

type Json = Record<string, unknown>

export interface V2Document {
  readonly paths?: Json
  readonly definitions?: Json
  readonly parameters?: Json
}

/** The part of a document that is about one group and version. */
export function onlyVersion(document: V2Document, group: string, version: string): Required<V2Document> {
  const prefix = `/apis/${group}/${version}/`
  const paths = Object.fromEntries(
    Object.entries(document.paths ?? {}).filter(([path]) => `${path}/`.startsWith(prefix)),
  )
  const definitions: Json = {}
  const parameters: Json = {}
  const take = (value: unknown): void => {
    for (const [, kind = '', name = ''] of JSON.stringify(value).matchAll(/"#\/(definitions|parameters)\/([^"]+)"/g)) {
      const [into, from] =
        kind === 'parameters' ? [parameters, document.parameters] : [definitions, document.definitions]
      if (Object.hasOwn(into, name) || from === undefined || !Object.hasOwn(from, name)) continue
      into[name] = from[name]
      take(from[name])
    }
  }
  take(paths)
  return { paths, definitions, parameters }
}

/** Changes `own`. */
export function mergeV2(own: { paths: Json; definitions: Json; parameters: Json }, added: Required<V2Document>): void {
  let { paths, definitions } = added
  for (const [name, definition] of Object.entries(added.definitions)) {
    if (!Object.hasOwn(own.definitions, name) || jsonEqual(own.definitions[name], definition)) continue
    const free = freeName(name, own.definitions, added.definitions)
    paths = renamed(paths, name, free)
    definitions = renamed(definitions, name, free)
    definitions[free] = definitions[name]
    // What is left under the name is the other one's.
    definitions[name] = own.definitions[name]
  }
  Object.assign(own.paths, paths)
  Object.assign(own.definitions, definitions)
  Object.assign(own.parameters, { ...added.parameters, ...own.parameters })
}

function freeName(name: string, ...taken: readonly Json[]): string {
  for (let number = 2; ; number += 1) {
    const free = `${name}_v${String(number)}`
    if (!taken.some((names) => Object.hasOwn(names, free))) return free
  }
}

const renamed = (value: Json, from: string, to: string): Json =>
  JSON.parse(JSON.stringify(value).replaceAll(`"#/definitions/${from}"`, `"#/definitions/${to}"`)) as Json
