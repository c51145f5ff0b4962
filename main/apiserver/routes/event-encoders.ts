// Watch events in the encoding and shape a client asked for: JSON lines, protobuf frames or CBOR items; the object, its metadata, or table rows.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { cborEvent, cborStoredEvent } from '../cbor/encode.ts'
import { cborSequenceType } from '../cbor/media-types.ts'
import { protobufEncoder, protobufMediaType, type TypeMeta } from '../protobuf/encoder.ts'
import { columnsOf, partialMetadata, renderTable } from '../registry/table.ts'
import type { StoredObject } from '../registry/stored-object.ts'
import type { EventEncoder } from '../watch/http-watch.ts'
import { includeObjectOf, type RenderOptions } from './render.ts'

const line = (type: string, objectText: string): Buffer => Buffer.from(`{"type":"${type}","object":${objectText}}\n`)

const jsonEvents = {
  contentType: 'application/json',
  bookmark: (object: KubeObject) => line('BOOKMARK', JSON.stringify(object)),
  error: (status: object) => line('ERROR', JSON.stringify(status)),
}

export function eventEncoder(options: RenderOptions): EventEncoder {
  const { accepted, resource } = options
  const { encoding, shape, shapeVersion } = accepted
  if (encoding === 'protobuf')
    return protobufEvents(shape === 'object' ? undefined : shapeVersion, {
      apiVersion: resource.apiVersion,
      kind: resource.kind.kind,
    })
  if (encoding === 'cbor') return cborEvents(options)
  if (shape === 'Table') return tableEvents(options)
  if (shape === 'object') return { ...jsonEvents, event: (type, object) => object.eventLine(type) }
  return {
    ...jsonEvents,
    event: (type, object) => line(type, JSON.stringify(partialMetadata(object.object, shapeVersion))),
    bookmark: (object) => line('BOOKMARK', JSON.stringify(partialMetadata(object, shapeVersion))),
  }
}

/** `partialVersion`: of meta.k8s.io when only metadata was asked for. */
function protobufEvents(partialVersion: string | undefined, type: TypeMeta): EventEncoder {
  const encoder = protobufEncoder()
  return {
    contentType: `${protobufMediaType};stream=watch`,
    event: (event, object) =>
      partialVersion === undefined
        ? encoder.storedFrame(event, type, object)
        : encoder.frame(event, encoder.partial(partialVersion, object)),
    bookmark: (object) => {
      const shown = partialVersion === undefined ? object : partialMetadata(object, partialVersion)
      return encoder.frame('BOOKMARK', encoder.object({ ...shown } as TypeMeta & Record<string, unknown>))
    },
    error: (status) => encoder.frame('ERROR', encoder.object({ ...status })),
  }
}

function cborEvents(options: RenderOptions): EventEncoder {
  const { shape, shapeVersion } = options.accepted
  const shared = {
    contentType: cborSequenceType,
    error: (status: object) => cborEvent('ERROR', status),
    bookmark: (object: KubeObject) =>
      cborEvent('BOOKMARK', shape === 'PartialObjectMetadata' ? partialMetadata(object, shapeVersion) : object),
  }
  if (shape === 'object') return { ...shared, event: cborStoredEvent }
  if (shape === 'Table') {
    const table = tableOf(options)
    return { ...shared, event: (type, object) => cborEvent(type, JSON.parse(table(object)) as object) }
  }
  return { ...shared, event: (type, object) => cborEvent(type, partialMetadata(object.object, shapeVersion)) }
}

function tableEvents(options: RenderOptions): EventEncoder {
  const table = tableOf(options)
  return { ...jsonEvents, event: (type, object) => line(type, table(object)) }
}

/** Makes the table of one event, as text; the first one names the columns. */
function tableOf({ accepted, resource, query }: RenderOptions): (object: StoredObject) => string {
  const includeObject = includeObjectOf(query)
  let withColumns = true
  return (object) => {
    const text = renderTable(columnsOf(resource), [object], {
      rowConditions: (row) => resource.kind.rowConditions?.(row) ?? [],
      version: accepted.shapeVersion,
      includeObject,
      now: new Date(),
      withColumns,
      listMetadata: { resourceVersion: String(object.revision) },
    })
    withColumns = false
    return text
  }
}
