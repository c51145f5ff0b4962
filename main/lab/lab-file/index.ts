// lab.yaml: a multi-document YAML file with a Lab, Machines and any other Kubernetes objects. Lab and Machines are checked here, so that
// a mistake is shown with its line; other objects are passed through and checked by the API server.
import {
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  type Node as YamlNode,
  parseAllDocuments,
  type ParsedNode,
  type Document,
} from 'yaml'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { labApiVersion } from '../../../common/api/lab/v1alpha1.ts'
import { checkLab, checkMachine, type Problem } from './check.ts'
import { LabFileError, type Place } from './lab-file-error.ts'

export { defaultLab, type DefaultLabOptions } from './default-lab.ts'
export { LabFileError } from './lab-file-error.ts'

/** Larger files are no lab description; also bounds what alias expansion can do. */
const maxBytes = 4 * 1024 * 1024

/** Objects in the order of the file. Throws LabFileError with every problem found, each with line, column, field and remedy. */
export function parseLabFile(text: string, file: string): KubeObject[] {
  if (Buffer.byteLength(text) > maxBytes) {
    throw new LabFileError(file, [
      {
        line: 1,
        column: 1,
        field: '',
        message: `the file is larger than ${String(maxBytes >> 20)} MiB`,
        remedy: 'split it',
      },
    ])
  }
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true, version: '1.2', merge: true })
  const documents = Array.isArray(parsed) ? parsed : []
  const places: Place[] = documents.flatMap((document) =>
    document.errors.map((error) => ({
      ...position(lines, error.pos[0]),
      field: '',
      message: `not valid YAML: ${firstLine(error.message)}`,
      remedy: yamlRemedy(error.code),
    })),
  )
  if (places.length > 0) throw new LabFileError(file, places)

  const objects: KubeObject[] = []
  const names = new Map<string, number>()
  for (const document of documents) {
    if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) continue
    let found: ReturnType<typeof objectsOf>
    try {
      found = objectsOf(document)
    } catch (error) {
      // The parser's guard against aliases that unfold without end, or an alias of nothing.
      if (!(error instanceof ReferenceError)) throw error
      const at = position(lines, startOf(document.contents) ?? 0)
      places.push({ ...at, field: '', message: error.message, remedy: 'write the values out instead of using aliases' })
      continue
    }
    for (const { node, value } of found) {
      const { object, problems } = check(value)
      places.push(...problems.map((problem) => locate(problem, document, node, lines)))
      if (object === undefined) continue
      objects.push(object)
      const key = [object.apiVersion, object.kind, object.metadata.namespace ?? '', object.metadata.name ?? ''].join(
        ' ',
      )
      const first = names.get(key)
      const at = locate({ path: ['metadata', 'name'], message: '', remedy: '' }, document, node, lines)
      if (first !== undefined && object.metadata.name !== undefined) {
        places.push({
          ...at,
          message: `${object.kind} "${object.metadata.name}" is there twice, first in line ${String(first)}`,
          remedy: 'rename or remove one of them',
        })
      }
      names.set(key, first ?? at.line)
    }
  }
  if (places.length === 0 && objects.length === 0) {
    places.push({
      line: 1,
      column: 1,
      field: '',
      message: 'the file holds no object',
      remedy: `start with a Machine: apiVersion: ${labApiVersion}, kind: Machine, metadata.name, spec.arch`,
    })
  }
  if (places.length > 0) throw new LabFileError(file, places)
  return objects
}

/** The object of a document, or the items of a List. */
function objectsOf(document: Document.Parsed): { node: ParsedNode | YamlNode | null; value: unknown }[] {
  const value: unknown = document.toJS({ maxAliasCount: 100 })
  const { contents } = document
  if (isMap(contents) && isRecord(value) && value['kind'] === 'List' && Array.isArray(value['items'])) {
    return value['items'].map((item: unknown, index) => ({
      node: document.getIn(['items', index], true) as YamlNode,
      value: item,
    }))
  }
  return [{ node: contents, value }]
}

function check(value: unknown): { object?: KubeObject; problems: Problem[] } {
  if (!isRecord(value))
    return {
      problems: [{ path: [], message: 'not an object', remedy: 'write fields: apiVersion, kind, metadata, spec' }],
    }
  const problems: Problem[] = []
  const { apiVersion, kind, metadata } = value
  if (typeof apiVersion !== 'string' || apiVersion === '') {
    problems.push({
      path: ['apiVersion'],
      message: 'missing or not a string',
      remedy: `for a Lab or Machine write apiVersion: ${labApiVersion}`,
    })
  }
  if (typeof kind !== 'string' || kind === '')
    problems.push({ path: ['kind'], message: 'missing or not a string', remedy: 'for example kind: Machine' })
  const name = isRecord(metadata) ? metadata['name'] : undefined
  const generateName = isRecord(metadata) ? metadata['generateName'] : undefined
  if (!isRecord(metadata))
    problems.push({
      path: ['metadata'],
      message: 'missing',
      remedy: 'give the object a name: metadata: {name: node-1}',
    })
  else if (typeof name !== 'string' && typeof generateName !== 'string') {
    problems.push({
      path: ['metadata', 'name'],
      message: name === undefined ? 'missing' : 'not a string',
      remedy: 'give the object a name, in quotes when it looks like a number',
    })
  }
  if (problems.length > 0) return { problems }
  if (typeof apiVersion === 'string' && apiVersion.startsWith('lab.orrery.dev/')) {
    if (apiVersion !== labApiVersion)
      problems.push({ path: ['apiVersion'], message: `"${apiVersion}" is not known`, remedy: `write ${labApiVersion}` })
    else if (kind === 'Machine') problems.push(...checkMachine(value))
    else if (kind === 'Lab') problems.push(...checkLab(value))
  } else if (kind === 'Machine' || kind === 'Lab') {
    problems.push({
      path: ['apiVersion'],
      message: `a ${kind} has apiVersion ${labApiVersion}, not "${String(apiVersion)}"`,
      remedy: `write ${labApiVersion}`,
    })
  }
  return problems.length > 0 ? { problems } : { object: value as unknown as KubeObject, problems }
}

/** The line of a field, or of the nearest field around it that is there. */
function locate(
  problem: Problem,
  document: Document.Parsed,
  root: ParsedNode | YamlNode | null,
  lines: LineCounter,
): Place {
  let node: unknown = root
  let offset = startOf(root) ?? 0
  for (const part of problem.path) {
    const resolved = isAlias(node) ? node.resolve(document) : node
    if (isMap(resolved)) {
      const pair = resolved.items.find((item) => isScalar(item.key) && item.key.value === part)
      if (pair === undefined) break
      offset = startOf(pair.key) ?? offset
      node = pair.value
    } else if (typeof part === 'number' && resolved !== null && typeof resolved === 'object' && 'items' in resolved) {
      node = (resolved as { items: unknown[] }).items[part]
      offset = startOf(node) ?? offset
    } else break
  }
  return {
    ...position(lines, offset),
    field: formatPath(problem.path),
    message: problem.message,
    remedy: problem.remedy,
  }
}

const startOf = (node: unknown): number | undefined =>
  (node as { range?: [number, number, number] } | null | undefined)?.range?.[0]

function position(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset)
  return { line, column: col }
}

const formatPath = (path: Problem['path']): string =>
  path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${String(part)}]` : text === '' ? part : `${text}.${part}`),
    '',
  )

const firstLine = (text: string): string => (text.split('\n')[0] ?? text).replace(/ at line \d+, column \d+:?$/, '')

function yamlRemedy(code: string): string {
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'indent with spaces, not tabs'
    case 'DUPLICATE_KEY':
      return 'remove one of the two'
    case 'BAD_INDENT':
    case 'MULTILINE_IMPLICIT_KEY':
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'check the indentation of this line and the one above, and that a ":" follows each field name'
    case 'MISSING_CHAR':
      return 'a quote, bracket or colon is missing before this place'
    default:
      return 'check this line and the one above'
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
