// One registry request as its route sees it, and what several routes need.
import type { BlobStore } from './blob-store.ts'
import { digestPattern } from './content.ts'
import { RegistryError, type RegistryRequest, type RegistryResponse } from './http-answer.ts'
import type { ImageIndex } from './image-index.ts'
import type { Images } from './images.ts'

export interface HandlerContext {
  blobs: BlobStore
  index: ImageIndex
  images: Images
  nowMs: () => number
}

export interface Operation extends HandlerContext {
  request: RegistryRequest
  response: RegistryResponse
  /** Full repository name, "docker.io/library/hello". */
  repository: string
  /** As the client wrote it, for Location headers: "library/hello". */
  clientName: string
  query: URLSearchParams
  /** The part after manifests/, blobs/, uploads/ or referrers/. */
  target: string
}

export function requireDigest(text: string): string {
  if (!digestPattern.test(text))
    throw new RegistryError('DIGEST_INVALID', 'provided digest did not match uploaded content', { detail: text })
  return text
}

/** ?n= and ?last= with a Link header to the next page. */
export function paginate(
  all: readonly string[],
  query: URLSearchParams,
  path: string,
): { page: string[]; link: Record<string, string> } {
  const limit = Number(query.get('n') ?? Number.NaN)
  const last = query.get('last')
  const rest = last === null ? [...all] : all.filter((entry) => entry > last)
  const page = Number.isInteger(limit) && limit >= 0 ? rest.slice(0, limit) : rest
  const end = page.at(-1)
  const more = page.length < rest.length && end !== undefined
  return { page, link: more ? { link: `<${path}?n=${limit}&last=${encodeURIComponent(end)}>; rel="next"` } : {} }
}
