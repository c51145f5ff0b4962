// List: one consistent revision, whole or in pages, with the resourceVersion semantics of the Kubernetes API.
import { badRequest, gone } from '../../../common/machinery/status.ts'
import type { RangeResult, StoreEntry } from '../../store/store.ts'
import { CompactedError, FutureRevisionError } from '../../store/store.ts'
import { decodeContinueToken, encodeContinueToken } from './continue-token.ts'
import type { Registry } from './context.ts'
import type { Selection } from './selection.ts'
import { keyOf, listPrefix, type ServedResource } from './served-resource.ts'
import { statusOfStoreError } from './store-errors.ts'
import type { StoredObject } from './stored-object.ts'

export interface ListRequest {
  readonly namespace: string
  readonly selection: Selection | undefined
  /** 0: no limit. */
  readonly limit: number
  readonly continueToken: string
  readonly resourceVersion: string
  readonly resourceVersionMatch: string
  /** Set when a field selector names exactly one object. */
  readonly onlyName?: string
}

export interface ListResult {
  readonly items: readonly StoredObject[]
  readonly revision: number
  readonly continueToken: string
  /** Undefined when unknown (selectors). */
  readonly remaining: number | undefined
}

const expiredMessage =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.'

export async function listObjects(
  registry: Registry,
  resource: ServedResource,
  request: ListRequest,
): Promise<ListResult> {
  const prefix = listPrefix(resource, request.namespace)
  if (request.continueToken !== '') {
    if (request.resourceVersion !== '' && request.resourceVersion !== '0')
      throw badRequest('specifying resource version is not allowed when using continue')
    const { revision, startAfter } = decodeContinueToken(request.continueToken)
    if (!startAfter.startsWith(resource.prefix))
      throw badRequest(`invalid continue token: continue key is not valid: ${startAfter}`)
    // A token from before a compaction may ask to go on inconsistently, in what there is now.
    return readPages(registry, resource, request, prefix, revision === 0 ? undefined : revision, startAfter)
  }
  const { resourceVersion: asked, resourceVersionMatch: match } = request
  const wanted = asked === '' ? 0 : parseResourceVersion(asked)
  if (match === 'Exact') return readPages(registry, resource, request, prefix, wanted, '')
  if (wanted > registry.store.revision)
    throw statusOfStoreError(new FutureRevisionError(wanted, registry.store.revision))
  if (request.onlyName !== undefined && (request.namespace !== '' || !resource.namespaced)) {
    const entry = registry.store.get(keyOf(resource, request.namespace, request.onlyName))
    const found = entry === undefined ? [] : [entry]
    const served = await convertedToSelect(resource, found, request.selection)
    const items = (served ?? found.map((one) => resource.codec.of(one))).filter(
      ({ object }) => request.selection?.matches(object) ?? true,
    )
    return { items, revision: registry.store.revision, continueToken: '', remaining: undefined }
  }
  return readPages(registry, resource, request, prefix, undefined, '')
}

export function parseResourceVersion(text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw badRequest(
      `Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    )
  return Number(text)
}

/** Reads from `startAfter`, at `revision` when given (else the newest), until `limit` objects match. */
async function readPages(
  registry: Registry,
  resource: ServedResource,
  request: ListRequest,
  prefix: string,
  revision: number | undefined,
  startAfter: string,
): Promise<ListResult> {
  const { limit, selection } = request
  let after = startAfter
  let at = revision
  const items: StoredObject[] = []
  for (;;) {
    // With a selector the page is filled by reading on; a little more at a time keeps the number of reads small.
    const chunk = limit === 0 ? undefined : selection === undefined ? limit : Math.max(limit * 2, 500)
    const page: RangeResult = await readChunk(registry, prefix, after, chunk, at, request.continueToken !== '')
    at ??= page.revision
    const { entries } = page
    const served = await convertedToSelect(resource, entries, selection)
    for (const [index, entry] of entries.entries()) {
      const stored = served?.[index] ?? resource.codec.of(entry)
      if (selection !== undefined && !selection.matches(stored.object)) continue
      items.push(stored)
      if (limit > 0 && items.length === limit) {
        const more = page.remaining > 0 || index < entries.length - 1
        return {
          items,
          revision: at,
          continueToken: more ? encodeContinueToken({ revision: at, startAfter: entry.key }) : '',
          remaining: more && selection === undefined ? page.remaining : undefined,
        }
      }
    }
    const last = entries.at(-1)
    if (page.remaining === 0 || last === undefined)
      return { items, revision: at, continueToken: '', remaining: undefined }
    after = last.key
  }
}

async function readChunk(
  registry: Registry,
  prefix: string,
  startAfter: string,
  limit: number | undefined,
  revision: number | undefined,
  continued: boolean,
): Promise<RangeResult> {
  const options = { prefix, ...(startAfter === '' ? {} : { startAfter }), ...(limit === undefined ? {} : { limit }) }
  const newest = registry.store.revision
  if (revision === undefined || revision === newest) return registry.store.range(options)
  try {
    return await registry.store.rangeAt({ ...options, atRevision: revision })
  } catch (error) {
    if (error instanceof CompactedError && continued) {
      const expired = gone(expiredMessage)
      expired.status.metadata = { continue: encodeContinueToken({ revision: 0, startAfter }) }
      throw expired
    }
    throw statusOfStoreError(error)
  }
}

/** Selectors speak of the version that is asked for: where a webhook makes it, objects are converted before they are looked at. */
function convertedToSelect(
  { codec, custom }: ServedResource,
  entries: readonly StoreEntry[],
  selection: Selection | undefined,
): Promise<StoredObject[]> | undefined {
  return selection && custom?.conversion?.toServed(entries.map((entry) => codec.of(entry)))
}
