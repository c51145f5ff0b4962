// What the client wants back: encoding (JSON, YAML, protobuf or CBOR) and shape (the object, its metadata only, or a table).
import { notAcceptable } from '../../../common/machinery/status.ts'
import { cborSequenceType } from '../cbor/media-types.ts'

export type Shape = 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'
export type Encoding = 'json' | 'yaml' | 'protobuf' | 'cbor'

export interface Accepted {
  readonly encoding: Encoding
  readonly shape: Shape
  /** "v1" or "v1beta1" of meta.k8s.io for the transformed shapes. */
  readonly shapeVersion: string
  /** Parameters of the accepted media type (aggregated discovery asks by g, v, as). */
  readonly parameters: Readonly<Record<string, string>>
}

/** What an endpoint can give. */
export interface Offer {
  /** Transformed shapes besides the object itself. */
  readonly shapes?: readonly Shape[]
  /** The object itself has a protobuf form (its metadata always has one). */
  readonly protobuf?: boolean
  /** A watch: only encodings that can be framed. */
  readonly stream?: boolean
  /** Default true. */
  readonly cbor?: boolean
}

const plainJson: Accepted = { encoding: 'json', shape: 'object', shapeVersion: 'v1', parameters: {} }
/** As upstream lists them: CBOR is spoken with those who ask for it. */
const offered = 'application/json, application/yaml, application/vnd.kubernetes.protobuf'

const cache = new Map<string, Accepted | undefined>()
const maxCached = 256

/** Throws 406 when nothing acceptable is offered. */
export function negotiate(accept: string | undefined, offer: Offer = {}): Accepted {
  if (accept === undefined || accept === '' || accept === '*/*' || accept === 'application/json') return plainJson
  const key = `${offer.shapes?.join() ?? ''} ${String(offer.protobuf)} ${String(offer.stream)} ${String(offer.cbor)} ${accept}`
  let accepted = cache.get(key)
  if (accepted === undefined && !cache.has(key)) {
    accepted = parseAccept(accept)
      .map((type) => match(type, offer))
      .find((found) => found !== undefined)
    if (cache.size >= maxCached) cache.clear()
    cache.set(key, accepted)
  }
  if (accepted === undefined) throw notAcceptable(`only the following media types are accepted: ${offered}`)
  return accepted
}

/** The encoding of an error, which must be told whatever the client accepts. */
export function encodingOfErrors(accept: string | undefined): Encoding {
  try {
    return negotiate(accept, {
      shapes: ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'],
      protobuf: true,
    }).encoding
  } catch {
    return 'json'
  }
}

export interface MediaType {
  readonly type: string
  readonly quality: number
  readonly parameters: Readonly<Record<string, string>>
}

/** In order of preference; equal quality keeps the order given, wildcards last. */
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
    .sort((a, b) => b.quality - a.quality || wildcards(a.type) - wildcards(b.type))
}

/** Of equal quality the more specific is meant. */
const wildcards = (type: string): number => type.split('*').length

const encodingOfType: Readonly<Record<string, Encoding>> = {
  '*/*': 'json',
  'application/*': 'json',
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
  'application/cbor': 'cbor',
}

function match(
  { type, quality, parameters }: MediaType,
  { shapes = [], protobuf, stream, cbor = true }: Offer,
): Accepted | undefined {
  const encoding =
    quality === 0 ? undefined : stream === true && type === cborSequenceType ? 'cbor' : encodingOfType[type]
  if (encoding === undefined || (stream === true && encoding === 'yaml')) return undefined
  if (encoding === 'cbor' && !cbor) return undefined
  const { as, g, v = 'v1' } = parameters
  if (as === undefined || as === '')
    return encoding === 'protobuf' && protobuf !== true
      ? undefined
      : { encoding, shape: 'object', shapeVersion: 'v1', parameters }
  const shape = shapes.find((candidate) => candidate === as)
  if (shape === undefined || g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) return undefined
  // Tables have no protobuf form.
  if (encoding === 'protobuf' && shape === 'Table') return undefined
  return { encoding, shape, shapeVersion: v, parameters }
}
