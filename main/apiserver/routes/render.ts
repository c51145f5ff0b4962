// Results of resource calls as HTTP answers, in the shape the client accepts. Plain lists are made of the stored texts, unparsed.
import { badRequest, notAcceptable } from '../../../common/machinery/status.ts'
import type { Accepted, Shape } from '../chain/negotiation.ts'
import { type Responder, sendJsonText, sendObject } from '../chain/respond.ts'
import type { ListResult } from '../registry/list.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import type { EventType, StoredObject } from '../registry/stored-object.ts'
import { type IncludeObject, partialMetadata, renderTable } from '../registry/table.ts'
import type { CallResult } from './api-call.ts'

export const shapesFor = (verb: string): readonly Shape[] =>
  verb === 'list' ? ['Table', 'PartialObjectMetadataList'] : ['Table', 'PartialObjectMetadata']

export interface RenderOptions {
  readonly resource: ServedResource
  readonly accepted: Accepted
  readonly query: URLSearchParams
  readonly now: Date
}

export async function renderResult(to: Responder, result: CallResult, options: RenderOptions): Promise<void> {
  const { accepted, resource } = options
  if (result.type === 'plain') {
    await sendObject(to, result.code, result.object)
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
        renderTable(resource, list.items, {
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
      await sendJsonText(to, 200, listText(resource, list, metadata))
  }
}

function listText(resource: ServedResource, list: ListResult, metadata: object): string {
  const head = `{"kind":"${resource.kind.kind}List","apiVersion":"${resource.apiVersion}","metadata":${JSON.stringify(metadata)},"items":[`
  return `${head}${list.items.map((item) => item.text).join(',')}]}`
}

export function listMetadata(list: ListResult): object {
  return {
    resourceVersion: String(list.revision),
    ...(list.continueToken === '' ? {} : { continue: list.continueToken }),
    ...(list.remaining === undefined ? {} : { remainingItemCount: list.remaining }),
  }
}

function renderStored(object: StoredObject, { accepted, resource, query, now }: RenderOptions): string {
  switch (accepted.shape) {
    case 'Table':
      return renderTable(resource, [object], {
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

function includeObjectOf(query: URLSearchParams): IncludeObject {
  const text = query.get('includeObject')
  if (text === null || text === '') return 'Metadata'
  if (text === 'None' || text === 'Metadata' || text === 'Object') return text
  throw badRequest(
    `includeObject: Invalid value: ${JSON.stringify(text)}: must be 'Metadata', 'Object', 'None', or empty`,
  )
}

/** How watch events look when the client did not ask for plain objects; undefined when it did. */
export function eventRenderer(options: RenderOptions): ((type: EventType, object: StoredObject) => Buffer) | undefined {
  const { accepted, resource, query } = options
  if (accepted.shape === 'object') return undefined
  if (accepted.shape === 'Table') {
    const includeObject = includeObjectOf(query)
    let withColumns = true
    return (type, object) => {
      const text = renderTable(resource, [object], {
        version: accepted.shapeVersion,
        includeObject,
        now: new Date(),
        withColumns,
        listMetadata: { resourceVersion: String(object.revision) },
      })
      withColumns = false
      return Buffer.from(`{"type":"${type}","object":${text}}\n`)
    }
  }
  return (type, object) =>
    Buffer.from(
      `{"type":"${type}","object":${JSON.stringify(partialMetadata(object.object, accepted.shapeVersion))}}\n`,
    )
}
