// /openapi/v2 and /openapi/v3: documents are made when first asked for and kept compressed, under the hash of what they say. Those of
// built-in groups never change; custom resources come and go.
import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { notAcceptable } from '../../../common/machinery/status.ts'
import { parseAccept } from '../chain/negotiation.ts'
import { acceptsGzip, sendBytes } from '../chain/respond.ts'
import type { Extensions } from '../aggregation/extensions.ts'
import { readV2 } from '../aggregation/extension-documents.ts'
import type { SubresourceInfo } from '../discovery/discovery.ts'
import type { ResourceTable } from '../registry/resource-table.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import { NoSuchPath } from '../chain/plain-error.ts'
import type { PathRequest } from '../routes/paths.ts'
import { fixedPaths } from './discovery-operations.ts'
import { DocumentBuilder, groupVersionPath } from './documents.ts'
import { mergeV2 } from './merge-extensions.ts'
import { encodeOpenApiV2 } from './v2-protobuf.ts'
import { encodeOpenApiV3 } from './v3-protobuf.ts'

interface Document {
  readonly compressed: Buffer
  /** Of the JSON form, whatever the encoding. */
  readonly hash: string
}

export interface OpenApiOptions {
  readonly resources: ResourceTable
  readonly subresourcesOf: (resource: ServedResource) => readonly SubresourceInfo[]
  readonly extensions: Pick<Extensions, 'generation' | 'versions' | 'forwardOpenApi'>
}

/** Clients name it with "@" (the old way) or "."; the answer says it the new way. */
const protobufOf = {
  v2: /^application\/com\.github\.proto-openapi\.spec\.v2[@.]v1\.0\+protobuf$/,
  v3: /^application\/com\.github\.proto-openapi\.spec\.v3[@.]v1\.0\+protobuf$/,
}
const protobufType = (of: 'v2' | 'v3'): string => `application/com.github.proto-openapi.spec.${of}.v1.0+protobuf`

export class OpenApi {
  readonly #options: OpenApiOptions
  readonly #documents = new Map<string, Document>()
  readonly #builtIn = new Map<string, Document>()
  #generation = ''
  /** Only while several documents are made in one go. */
  #builder: DocumentBuilder | undefined

  constructor(options: OpenApiOptions) {
    this.#options = options
  }

  async serve({ req, res, to, query }: PathRequest, path: string): Promise<void> {
    const { resources, extensions } = this.#options
    const generation = `${String(resources.generation)} ${String(extensions.generation)}`
    if (this.#generation !== generation) {
      this.#generation = generation
      this.#documents.clear()
    }
    if (await extensions.forwardOpenApi(path.slice(v3Prefix.length), { req, res })) return
    const { contentType, document } = this.#find(path, req.headers.accept)
    if (document === undefined) throw new NoSuchPath()
    const etag = `"${document.hash}"`
    const asked = query.get('hash')
    if (asked !== null && asked !== '' && asked !== document.hash) {
      const location = `${path}?hash=${document.hash}`
      await sendBytes(to, 301, contentType, Buffer.alloc(0), { location, etag })
      return
    }
    // A document asked for by its hash never changes.
    const caching: Record<string, string> =
      asked === document.hash
        ? { 'cache-control': 'public, immutable', expires: new Date(Date.now() + 365 * 86_400_000).toUTCString() }
        : { 'cache-control': 'no-cache, private' }
    const headers = { etag, 'last-modified': startedAt, vary: 'Accept-Encoding, Accept', ...caching }
    if (req.headers['if-none-match']?.includes(etag) === true)
      await sendBytes(to, 304, contentType, Buffer.alloc(0), headers)
    else if (acceptsGzip(req))
      await sendBytes(to, 200, contentType, document.compressed, { ...headers, 'content-encoding': 'gzip' })
    else await sendBytes(to, 200, contentType, gunzipSync(document.compressed), headers)
  }

  #find(path: string, accept: string | undefined): { contentType: string; document: Document | undefined } {
    if (path === '/openapi/v3') return { contentType: 'application/json', document: this.#index() }
    const of = path === '/openapi/v2' ? 'v2' : 'v3'
    const contentType = negotiateDocument(accept, of)
    const name = path.slice(v3Prefix.length)
    const document = of === 'v2' ? this.#v2() : this.#v3(name)
    if (document === undefined || contentType === 'application/json') return { contentType, document }
    return { contentType, document: this.#protobuf(of, of === 'v2' ? '' : name, document) }
  }

  #protobuf(of: 'v2' | 'v3', name: string, { compressed, hash }: Document): Document {
    const key = `${of} protobuf ${name}`
    let document = this.#documents.get(key)
    if (document === undefined) {
      const json = JSON.parse(gunzipSync(compressed).toString()) as Record<string, unknown>
      const bytes = of === 'v2' ? encodeOpenApiV2(json) : encodeOpenApiV3(json)
      document = { compressed: gzipSync(bytes, { level: 4 }), hash }
      this.#documents.set(key, document)
    }
    return document
  }

  #index(): Document {
    const paths = new Set(Object.keys(fixedPaths))
    for (const { kind } of this.#options.resources.all()) {
      if (kind.group !== '') paths.add(`apis/${kind.group}`)
      paths.add(groupVersionPath(kind.group, kind.version))
    }
    const elsewhere = new Map<string, string>()
    for (const { group, version, documents } of this.#options.extensions.versions()) {
      if (documents?.v3 === undefined) continue
      paths.add(`apis/${group}/${version}`)
      elsewhere.set(`apis/${group}/${version}`, documents.v3)
    }
    return this.#remember('index', () => {
      try {
        const links = [...paths]
          .sort()
          .map((path) => [
            path,
            { serverRelativeURL: elsewhere.get(path) ?? `${v3Prefix}${path}?hash=${this.#v3(path)?.hash ?? ''}` },
          ])
        return Buffer.from(JSON.stringify({ paths: Object.fromEntries(links) as object }))
      } finally {
        this.#builder = undefined
      }
    })
  }

  #v3(path: string): Document | undefined {
    const known = this.#builtIn.get(path) ?? this.#documents.get(path)
    if (known !== undefined) return known
    const made = this.#newBuilder().v3(path)
    if (made === undefined) return undefined
    const document = compress(Buffer.from(JSON.stringify(made)))
    const group = path.split('/')[1] ?? ''
    const isFixed = !path.startsWith('apis/') || this.#options.resources.isBuiltInGroup(group)
    ;(isFixed ? this.#builtIn : this.#documents).set(path, document)
    return document
  }

  #v2(): Document {
    return this.#remember('v2', () => {
      const document = this.#newBuilder().v2()
      for (const { documents } of this.#options.extensions.versions()) {
        const added = documents && readV2(documents)
        if (added !== undefined) mergeV2(document, added)
      }
      return Buffer.from(JSON.stringify(document))
    })
  }

  #newBuilder(): DocumentBuilder {
    if (this.#builder !== undefined) return this.#builder
    const builder = new DocumentBuilder({
      resources: this.#options.resources.all(),
      subresourcesOf: this.#options.subresourcesOf,
    })
    this.#builder = builder
    setImmediate(() => {
      this.#builder = undefined
    })
    return builder
  }

  #remember(key: string, make: () => Buffer): Document {
    let document = this.#documents.get(key)
    if (document === undefined) this.#documents.set(key, (document = compress(make())))
    return document
  }
}

const v3Prefix = '/openapi/v3/'
const startedAt = new Date().toUTCString()

const compress = (bytes: Buffer): Document => ({
  compressed: gzipSync(bytes, { level: 4 }),
  hash: createHash('sha512').update(bytes).digest('hex').toUpperCase(),
})

/** The content type to answer with. */
function negotiateDocument(accept: string | undefined, of: 'v2' | 'v3'): string {
  if (accept === undefined || accept === '') return 'application/json'
  for (const { type, quality } of parseAccept(accept)) {
    if (quality === 0) continue
    if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'application/json'
    if (protobufOf[of].test(type)) return protobufType(of)
  }
  throw notAcceptable(`only the following media types are accepted: application/json, ${protobufType(of)}`)
}
