// Keeps Image objects equal to what the registry holds. Pure: both sides in, writes out.
import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { type Image, labApiVersion } from '../../../common/api/lab/v1alpha1.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import type { RegistryImage } from '../../registry/images.ts'

export const imageFinalizer = 'lab.orrery.dev/image'

export type ImageAction =
  | { readonly type: 'create'; readonly object: Image; readonly status: NonNullable<Image['status']> }
  | { readonly type: 'status'; readonly object: Image; readonly status: NonNullable<Image['status']> }
  /** The registry lost it: the object goes, without touching the registry. */
  | { readonly type: 'delete'; readonly object: Image }
  /** A person deleted the object: the content goes, then the finalizer. */
  | { readonly type: 'remove'; readonly object: Image }

export function planImages(present: readonly Image[], registry: readonly RegistryImage[]): ImageAction[] {
  const actions: ImageAction[] = []
  const byReference = new Map(present.map((object) => [object.spec.reference, object]))
  const names = new Set(present.map(({ metadata }) => metadata.name ?? ''))
  for (const image of registry) {
    const object = byReference.get(image.name)
    const status = statusOf(image)
    if (object === undefined) {
      const name = objectName(image.name, names)
      names.add(name)
      actions.push({ type: 'create', object: newImage(name, image.name), status })
    } else if (object.metadata.deletionTimestamp === undefined && !isDeepStrictEqual(object.status, status)) {
      actions.push({ type: 'status', object, status })
    }
  }
  const held = new Set(registry.map(({ name }) => name))
  for (const object of present) {
    const isOurs = object.metadata.finalizers?.includes(imageFinalizer) === true
    if (!isOurs) continue
    if (object.metadata.deletionTimestamp !== undefined) actions.push({ type: 'remove', object })
    else if (!held.has(object.spec.reference)) actions.push({ type: 'delete', object })
  }
  return actions
}

/** "docker.io/library/hello:1.0" -> "docker.io-library-hello-1.0"; a hash is added when another image has that name already. */
export function objectName(reference: string, taken: ReadonlySet<string>): string {
  const plain = reference
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, '-')
    .replaceAll(/\.(?=[.-])|-(?=\.)/g, '')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
  // 253 is the limit of object names.
  if (plain.length <= 253 && !taken.has(plain)) return plain
  const hash = createHash('sha256').update(reference).digest('hex').slice(0, 10)
  return `${plain.slice(0, 242).replace(/[^a-z0-9]+$/, '')}-${hash}`
}

const newImage = (name: string, reference: string): Image => ({
  apiVersion: labApiVersion,
  kind: 'Image',
  metadata: { name, finalizers: [imageFinalizer] },
  spec: { reference },
})

function statusOf(image: RegistryImage): NonNullable<Image['status']> {
  return {
    digest: image.digest,
    sizeBytes: image.sizeBytes,
    platforms: image.platforms.map(({ architecture, digest, os, sizeBytes, variant }) => ({
      os,
      architecture,
      ...(variant === undefined ? {} : { variant }),
      digest,
      sizeBytes,
    })),
    importedAt: formatTime(image.updatedAtMs),
    source: image.builtIn ? 'built-in' : 'import',
  }
}
