// Manifests, tags and referrers over HTTP.
import { digestOf } from './blob-store.ts'
import { parseManifest, type Descriptor } from './content.ts'
import { paginate, requireDigest, type Operation } from './operation.ts'
import { answer, answerJson, headerOf, readBody, RegistryError } from './http-answer.ts'
import { tagPattern } from './reference.ts'

/** distribution-spec asks for at least 4 MiB. */
const manifestLimit = 4 << 20

export async function getManifest(operation: Operation): Promise<void> {
  const { index, blobs, response, repository, target } = operation
  const known = index.repositories[repository]
  const digest = isDigest(target) ? target : known?.tags[target]?.digest
  const entry = digest === undefined ? undefined : known?.manifests[digest]
  if (digest === undefined || entry === undefined || (await blobs.size(digest)) === undefined)
    throw new RegistryError('MANIFEST_UNKNOWN', 'manifest unknown', {
      detail: isDigest(target) ? { name: repository, digest: target } : { name: repository, tag: target },
    })
  const headers = {
    'content-type': entry.mediaType,
    'docker-content-digest': digest,
    etag: `"${digest}"`,
    'content-length': entry.size,
  }
  if (operation.request.method === 'HEAD') answer(response, 200, headers)
  else answer(response, 200, headers, await blobs.readAll(digest))
}

export async function putManifest(operation: Operation): Promise<void> {
  const { request, response, target } = operation
  if (!isDigest(target) && !tagPattern.test(target))
    throw new RegistryError('MANIFEST_INVALID', 'manifest tag did not match URI', { detail: target })
  const content = await readBody(request, manifestLimit)
  const declared = headerOf(request.headers, 'content-type')?.split(';')[0]?.trim()
  const { images, repository, nowMs } = operation
  if (isDigest(target)) {
    requireDigest(target)

    if (digestOf(content) !== target)
      throw new RegistryError('DIGEST_INVALID', 'provided digest did not match uploaded content')
  }
  const { digest, manifest } = await images.putManifest({
    repository,
    content,
    mediaType: declared === '' ? undefined : declared,
    tag: isDigest(target) ? undefined : target,
    nowMs: nowMs(),
  })
  answer(response, 201, {
    location: `/v2/${operation.clientName}/manifests/${digest}`,
    'docker-content-digest': digest,
    'content-length': 0,
    ...(manifest.subject === undefined ? {} : { 'oci-subject': manifest.subject.digest }),
  })
}

export async function deleteManifest(operation: Operation): Promise<void> {
  const { images, repository, target, response } = operation
  const removed = isDigest(target)
    ? await images.removeManifest(repository, target)
    : await images.removeTag(repository, target)
  if (!removed) throw new RegistryError('MANIFEST_UNKNOWN', 'manifest unknown')
  answer(response, 202, { 'content-length': 0 })
}

export async function getTags(operation: Operation): Promise<void> {
  const { index, repository, clientName, query, response } = operation
  const known = index.repositories[repository]
  if (known === undefined)
    throw new RegistryError('NAME_UNKNOWN', 'repository name not known to registry', { detail: { name: clientName } })
  const { page, link } = paginate(Object.keys(known.tags).sort(), query, `/v2/${clientName}/tags/list`)
  answerJson(response, 200, { name: clientName, tags: page }, link)
  return Promise.resolve()
}

/** Manifests of the repository whose subject is the given digest, as an index. */
export async function getReferrers(operation: Operation): Promise<void> {
  const { index, blobs, repository, target, query, response } = operation
  requireDigest(target)
  const wanted = query.get('artifactType')
  const found: (Descriptor & { artifactType?: string })[] = []
  for (const [digest, entry] of Object.entries(index.repositories[repository]?.manifests ?? {})) {
    if ((await blobs.size(digest)) === undefined) continue
    const content = await blobs.readAll(digest)
    const manifest = parseManifest(content, entry.mediaType)
    if (manifest.subject?.digest !== target) continue
    const artifactType = manifest.artifactType ?? manifest.config?.mediaType
    if (wanted !== null && artifactType !== wanted) continue
    found.push({
      mediaType: entry.mediaType,
      digest,
      size: entry.size,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
    })
  }
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  answerJson(
    response,
    200,
    { schemaVersion: 2, mediaType, manifests: found },
    { 'content-type': mediaType, ...(wanted === null ? {} : { 'oci-filters-applied': 'artifactType' }) },
  )
}

const isDigest = (target: string): boolean => target.includes(':')
