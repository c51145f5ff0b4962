// Results of resource calls as HTTP answers, in the shape and encoding the client accepts. Plain lists are made of the stored texts,
// unparsed.
import { badRequest, notAcceptable } from '../../../common/machinery/status.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { Column } from '../../kinds/kind.ts'
import type { Accepted, Shape } from '../chain/negotiation.ts'
import { type Responder, sendBytes, sendJsonText, sendObject, sendPieces } from '../chain/respond.ts'
import { cborListPieces, encodeCbor } from '../cbor/encode.ts'
import { cborMediaType } from '../cbor/media-types.ts'
import { protobufEncoder, protobufMediaType } from '../protobuf/encoder.ts'
import type { ListResult } from '../registry/list.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import type { StoredObject } from '../registry/stored-object.ts'
import { columnsOf, type IncludeObject, partialMetadata, renderTable } from '../registry/table.ts'
import { type CallResult, listMetadata } from './api-call.ts'

const listShapes: readonly Shape[] = ['Table', 'PartialObjectMetadataList']
const objectShapes: readonly Shape[] = ['Table', 'PartialObjectMetadata']
const untabled: readonly Shape[] = ['PartialObjectMetadata']

export const shapesFor = (verb: string, withoutTable = false): readonly Shape[] =>
  withoutTable ? untabled : verb === 'list' || verb === 'deletecollection' ? listShapes : objectShapes

export interface RenderOptions {
  readonly resource: ServedResource
  readonly accepted: Accepted
  readonly query: URLSearchParams
  readonly now: Date
}

export async function renderResult(to: Responder, result: CallResult, options: RenderOptions): Promise<void> {
  const { accepted, resource } = options
  if (accepted.encoding === 'protobuf' && result.type !== 'plain') {
    await sendProtobuf(to, result, options)
    return
  }
  if (result.type === 'plain') {
    const { object, code, columns } = result
    if (columns === undefined || accepted.shape !== 'Table') await sendObject(to, code, object)
    else await sendJsonText(to, code, plainTable(object as KubeObject, columns, options))
    return
  }
  if (accepted.encoding === 'cbor' && accepted.shape === 'object') {
    await sendCbor(to, result, options)
    return
  }
  if (result.type === 'stored') {
    await sendJsonText(to, result.code, renderStored(result.object, options))
    return
  }
  const { list } = result
  const metadata = listMetadata(list)
  switch (accepted.shape) {
    case 'Table':
      await sendJsonText(
        to,
        200,
        renderTable(columnsOf(resource), list.items, {
          rowConditions: (row) => resource.kind.rowConditions?.(row) ?? [],
          version: accepted.shapeVersion,
          includeObject: includeObjectOf(options.query),
          now: options.now,
          withColumns: true,
          listMetadata: metadata,
        }),
      )
      return
    case 'PartialObjectMetadataList': {
      const items = list.items.map((item) => JSON.stringify(partialMetadata(item.object, accepted.shapeVersion)))
      await sendJsonText(
        to,
        200,
        `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/${accepted.shapeVersion}","metadata":${JSON.stringify(metadata)},"items":[${items.join(',')}]}`,
      )
      return
    }
    case 'PartialObjectMetadata':
      throw notAcceptable('a list cannot be given as PartialObjectMetadata')
    case 'object':
      await sendJsonPieces(to, listPieces(resource, list, metadata))
  }
}

/** The whole object, or a list of them; other shapes are made of their JSON. */
async function sendCbor(
  to: Responder,
  result: Exclude<CallResult, { type: 'plain' }>,
  { resource }: RenderOptions,
): Promise<void> {
  if (result.type === 'stored') {
    await sendBytes(to, result.code, cborMediaType, encodeCbor(wholeObject(result.object)))
    return
  }
  const { items } = result.list
  const list = {
    kind: `${resource.kind.kind}List`,
    apiVersion: resource.apiVersion,
    metadata: listMetadata(result.list),
  }
  await sendPieces(to, cborMediaType, cborListPieces(list, items.length, wholeObjects(items)))
}

function* wholeObjects(items: readonly StoredObject[]): Generator<object> {
  for (const item of items) yield item.codec.asItem(wholeObject(item))
}

/** A list of everything must not leave everything parsed in memory. */
const wholeObject = (stored: StoredObject): KubeObject => stored.parsed ?? stored.copy()

async function sendProtobuf(
  to: Responder,
  result: Exclude<CallResult, { type: 'plain' }>,
  { accepted, resource }: RenderOptions,
): Promise<void> {
  const encoder = protobufEncoder()
  const type = { apiVersion: resource.apiVersion, kind: resource.kind.kind }
  const whole = accepted.shape === 'object'
  if (result.type === 'stored') {
    const { code, object } = result
    const bytes = whole ? encoder.stored(type, object) : encoder.partial(accepted.shapeVersion, object)
    await sendBytes(to, code, protobufMediaType, bytes)
    return
  }
  const { items } = result.list
  const metadata = listMetadata(result.list)
  const pieces = whole
    ? encoder.list(type, metadata, items)
    : encoder.partialList(accepted.shapeVersion, metadata, items)
  await sendPieces(to, protobufMediaType, pieces)
}

function plainTable(object: KubeObject, columns: readonly Column[], { accepted, query, now }: RenderOptions): string {
  return renderTable(columns, [{ object, text: JSON.stringify(object) }], {
    version: accepted.shapeVersion,
    includeObject: includeObjectOf(query),
    now,
    withColumns: true,
    listMetadata: { resourceVersion: object.metadata.resourceVersion },
  })
}

/** No object is parsed and no text copied on the way from the store to the socket. */
function* listPieces(resource: ServedResource, list: ListResult, metadata: object): Generator<string> {
  yield `{"kind":"${resource.kind.kind}List","apiVersion":"${resource.apiVersion}","metadata":${JSON.stringify(metadata)},"items":[`
  let separator = ''
  for (const item of list.items) {
    const [head, rest] = item.itemParts
    yield separator + head
    yield rest
    separator = ','
  }
  yield ']}'
}

async function sendJsonPieces(to: Responder, pieces: Iterable<string>): Promise<void> {
  // YAML and indentation need the whole text.
  if (to.encoding === 'yaml' || to.pretty) await sendJsonText(to, 200, [...pieces].join(''))
  else await sendPieces(to, 'application/json', pieces)
}

function renderStored(object: StoredObject, { accepted, resource, query, now }: RenderOptions): string {
  switch (accepted.shape) {
    case 'Table':
      return renderTable(columnsOf(resource), [object], {
        rowConditions: (row) => resource.kind.rowConditions?.(row) ?? [],
        version: accepted.shapeVersion,
        includeObject: includeObjectOf(query),
        now,
        withColumns: true,
        listMetadata: { resourceVersion: String(object.revision) },
      })
    case 'PartialObjectMetadata':
      return JSON.stringify(partialMetadata(object.object, accepted.shapeVersion))
    default:
      return object.text
  }
}

export function includeObjectOf(query: URLSearchParams): IncludeObject {
  const text = query.get('includeObject')
  if (text === null || text === '') return 'Metadata'
  if (text === 'None' || text === 'Metadata' || text === 'Object') return text
  throw badRequest(
    `includeObject: Invalid value: ${JSON.stringify(text)}: must be 'Metadata', 'Object', 'None', or empty`,
  )
}
