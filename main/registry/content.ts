// What the registry stores, as types: descriptors, manifests, and reading them from bytes.
export interface Descriptor {
  mediaType: string
  digest: string
  size: number
  platform?: Platform
  annotations?: Record<string, string>
  artifactType?: string
}

export interface Platform {
  os: string
  architecture: string
  variant?: string
}

/** The parts of image manifests, indexes and Docker's older forms that a registry has to understand. */
export interface Manifest {
  mediaType: string
  /** Blobs that must be there: config and layers. */
  blobs: Descriptor[]
  /** Manifests of an index. */
  manifests: Descriptor[]
  config: Descriptor | undefined
  subject: Descriptor | undefined
  artifactType: string | undefined
  annotations: Record<string, string> | undefined
}

export const indexTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]
export const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]
export const digestPattern = /^sha256:[a-f0-9]{64}$/

/** Parses a manifest; throws Error with a short reason when it is none. `declared` is the Content-Type or descriptor's media type. */
export function parseManifest(content: Buffer, declared?: string): Manifest {
  let value: unknown
  try {
    value = JSON.parse(content.toString('utf8'))
  } catch {
    throw new Error('manifest is not JSON')
  }
  if (!isRecord(value)) throw new Error('manifest is not an object')
  if (value['schemaVersion'] !== 2) throw new Error('only schemaVersion 2 is supported')
  const own = typeof value['mediaType'] === 'string' ? value['mediaType'] : undefined
  const mediaType = own ?? declared ?? (Array.isArray(value['manifests']) ? indexTypes[0] : manifestTypes[0]) ?? ''
  if (own !== undefined && declared !== undefined && own !== declared)
    throw new Error(`mediaType ${own} differs from Content-Type ${declared}`)
  const list = (key: string): Descriptor[] =>
    Array.isArray(value[key]) ? value[key].map((entry) => readDescriptor(entry, key)) : []
  const optional = (key: string): Descriptor | undefined =>
    value[key] === undefined ? undefined : readDescriptor(value[key], key)
  const config = optional('config')
  const isIndex = indexTypes.includes(mediaType)
  if (!isIndex && !manifestTypes.includes(mediaType)) throw new Error(`unsupported media type ${mediaType}`)
  if (!isIndex && config === undefined) throw new Error('manifest has no config')
  // Layers with "urls" (foreign layers) need not be stored here.
  const layers = list('layers').filter((_, index) => !hasUrls(value['layers'], index))
  return {
    mediaType,
    config,
    blobs: config === undefined ? layers : [config, ...layers],
    manifests: isIndex ? list('manifests') : [],
    subject: optional('subject'),
    artifactType: typeof value['artifactType'] === 'string' ? value['artifactType'] : undefined,
    annotations: readAnnotations(value['annotations']),
  }
}

function readDescriptor(value: unknown, where: string): Descriptor {
  if (!isRecord(value)) throw new Error(`${where}: not a descriptor`)
  const { mediaType, digest, size } = value
  if (typeof mediaType !== 'string' || typeof digest !== 'string' || typeof size !== 'number')
    throw new Error(`${where}: a descriptor needs mediaType, digest and size`)
  if (!digestPattern.test(digest)) throw new Error(`${where}: unsupported digest ${digest}`)
  const platform = value['platform']
  const annotations = readAnnotations(value['annotations'])
  return {
    mediaType,
    digest,
    size,
    ...(isRecord(platform) ? { platform: readPlatform(platform) } : {}),
    ...(annotations === undefined ? {} : { annotations }),
    ...(typeof value['artifactType'] === 'string' ? { artifactType: value['artifactType'] } : {}),
  }
}

/** Platform of an index entry or of an image configuration. */
export function readPlatform(value: Record<string, unknown>): Platform {
  const textOf = (key: string): string => (typeof value[key] === 'string' ? value[key] : '')
  const variant = textOf('variant')
  return { os: textOf('os'), architecture: textOf('architecture'), ...(variant === '' ? {} : { variant }) }
}

function readAnnotations(value: unknown): Record<string, string> | undefined {
  if (!isRecord(value)) return undefined
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

const hasUrls = (layers: unknown, index: number): boolean => {
  const layer: unknown = Array.isArray(layers) ? layers[index] : undefined
  return isRecord(layer) && Array.isArray(layer['urls']) && layer['urls'].length > 0
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
