// Watch events in the encoding and shape a client asked for: JSON lines or protobuf frames; the object, its metadata, or table rows.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { protobufEncoder, protobufMediaType, type TypeMeta } from '../protobuf/encoder.ts'
import { columnsOf, partialMetadata, renderTable } from '../registry/table.ts'
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

function tableEvents({ accepted, resource, query }: RenderOptions): EventEncoder {
  const includeObject = includeObjectOf(query)
  let withColumns = true
  return {
    ...jsonEvents,
    event(type, object) {
      const text = renderTable(columnsOf(resource), [object], {
        rowConditions: (row) => resource.kind.rowConditions?.(row) ?? [],
        version: accepted.shapeVersion,
        includeObject,
        now: new Date(),
        withColumns,
        listMetadata: { resourceVersion: String(object.revision) },
      })
      withColumns = false
      return line(type, text)
    },
  }
}
