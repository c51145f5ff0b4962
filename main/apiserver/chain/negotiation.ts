// What the client wants back: encoding (JSON or YAML) and shape (the object, its metadata only, or a table).
import { notAcceptable } from '../../../common/machinery/status.ts'

export type Shape = 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'

export interface Accepted {
  readonly encoding: 'json' | 'yaml'
  readonly shape: Shape
  /** "v1" or "v1beta1" of meta.k8s.io for the transformed shapes. */
  readonly shapeVersion: string
  /** Parameters of the accepted media type (aggregated discovery asks by g, v, as). */
  readonly parameters: Readonly<Record<string, string>>
}

const plainJson: Accepted = { encoding: 'json', shape: 'object', shapeVersion: 'v1', parameters: {} }
const offered = 'application/json, application/yaml'

const cache = new Map<string, Accepted | undefined>()
const maxCached = 256

/** Throws 406 when nothing acceptable is offered. `shapes`: transformed shapes this endpoint can give. */
export function negotiate(accept: string | undefined, shapes: readonly Shape[] = ['object']): Accepted {
  if (accept === undefined || accept === '' || accept === '*/*' || accept === 'application/json') return plainJson
  const key = `${shapes.join()} ${accept}`
  let accepted = cache.get(key)
  if (accepted === undefined && !cache.has(key)) {
    accepted = parseAccept(accept)
      .map((type) => match(type, shapes))
      .find((found) => found !== undefined)
    if (cache.size >= maxCached) cache.clear()
    cache.set(key, accepted)
  }
  if (accepted === undefined) throw notAcceptable(`only the following media types are accepted: ${offered}`)
  return accepted
}

export interface MediaType {
  readonly type: string
  readonly quality: number
  readonly parameters: Readonly<Record<string, string>>
}

/** In order of preference; equal quality keeps the order given. */
export function parseAccept(accept: string): MediaType[] {
  return accept
    .split(',')
    .map((part) => {
      const [type = '', ...rest] = part.split(';').map((piece) => piece.trim())
      const parameters = Object.fromEntries(
        rest.map((piece) => [piece.slice(0, Math.max(0, piece.indexOf('='))), piece.slice(piece.indexOf('=') + 1)]),
      )
      const quality = Number(parameters['q'] ?? '1')
      return { type: type.toLowerCase(), quality: Number.isNaN(quality) ? 1 : quality, parameters }
    })
    .sort((a, b) => b.quality - a.quality)
}

function match({ type, quality, parameters }: MediaType, shapes: readonly Shape[]): Accepted | undefined {
  if (quality === 0) return undefined
  const encoding =
    type === 'application/json' || type === '*/*' || type === 'application/*'
      ? 'json'
      : type === 'application/yaml'
        ? 'yaml'
        : undefined
  if (encoding === undefined) return undefined
  const { as, g, v = 'v1' } = parameters
  if (as === undefined || as === '') return { encoding, shape: 'object', shapeVersion: 'v1', parameters }
  const shape = shapes.find((candidate) => candidate === as)
  if (shape === undefined || g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) return undefined
  return { encoding, shape, shapeVersion: v, parameters }
}
