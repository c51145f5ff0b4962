// /openapi/v2 and /openapi/v3: documents are made when first asked for and kept compressed, under the hash of what they say. Those of
// built-in groups never change; custom resources come and go.
import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { notAcceptable } from '../../../common/machinery/status.ts'
import { parseAccept } from '../chain/negotiation.ts'
import { acceptsGzip, sendBytes } from '../chain/respond.ts'
import type { SubresourceInfo } from '../discovery/discovery.ts'
import type { ResourceTable } from '../registry/resource-table.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import { NoSuchPath } from '../chain/no-such-path.ts'
import type { PathRequest } from '../routes/paths.ts'
import { fixedPaths } from './discovery-operations.ts'
import { DocumentBuilder, groupVersionPath } from './documents.ts'
import { encodeOpenApiV2 } from './v2-protobuf.ts'

interface Document {
  readonly compressed: Buffer
  readonly hash: string
}

export interface OpenApiOptions {
  readonly resources: ResourceTable
  readonly subresourcesOf: (resource: ServedResource) => readonly SubresourceInfo[]
}

/** Clients name it with "@" (the old way) or "."; the answer says it the new way. */
const v2Protobuf = /^application\/com\.github\.proto-openapi\.spec\.v2[@.]v1\.0\+protobuf$/
const v2ProtobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

export class OpenApi {
  readonly #options: OpenApiOptions
  readonly #documents = new Map<string, Document>()
  readonly #builtIn = new Map<string, Document>()
  #generation = 0
  /** Only while several documents are made in one go. */
  #builder: DocumentBuilder | undefined

  constructor(options: OpenApiOptions) {
    this.#options = options
  }

  async serve({ req, to, query }: PathRequest, path: string): Promise<void> {
    if (this.#generation !== this.#options.resources.generation) {
      this.#generation = this.#options.resources.generation
      this.#documents.clear()
    }
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
    const contentType = negotiateDocument(accept, path === '/openapi/v2')
    if (path !== '/openapi/v2') {
      const document = path === '/openapi/v3' ? this.#index() : this.#v3(path.slice('/openapi/v3/'.length))
      return { contentType, document }
    }
    if (contentType === 'application/json') return { contentType, document: this.#v2() }
    return {
      contentType,
      document: this.#remember('v2 protobuf', () =>
        encodeOpenApiV2(JSON.parse(gunzipSync(this.#v2().compressed).toString()) as Record<string, unknown>),
      ),
    }
  }

  #index(): Document {
    const paths = new Set(Object.keys(fixedPaths))
    for (const { kind } of this.#options.resources.all()) {
      if (kind.group !== '') paths.add(`apis/${kind.group}`)
      paths.add(groupVersionPath(kind.group, kind.version))
    }
    return this.#remember('index', () => {
      try {
        const links = [...paths]
          .sort()
          .map((path) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${this.#v3(path)?.hash ?? ''}` }])
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
    return this.#remember('v2', () => Buffer.from(JSON.stringify(this.#newBuilder().v2())))
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

const startedAt = new Date().toUTCString()

const compress = (bytes: Buffer): Document => ({
  compressed: gzipSync(bytes, { level: 4 }),
  hash: createHash('sha512').update(bytes).digest('hex').toUpperCase(),
})

/** The content type to answer with; `alsoProtobuf` for v2, whose protobuf form older kubectl reads. */
function negotiateDocument(accept: string | undefined, alsoProtobuf: boolean): string {
  if (accept === undefined || accept === '') return 'application/json'
  for (const { type, quality } of parseAccept(accept)) {
    if (quality === 0) continue
    if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'application/json'
    if (alsoProtobuf && v2Protobuf.test(type)) return v2ProtobufType
  }
  throw notAcceptable(
    `only the following media types are accepted: application/json${alsoProtobuf ? `, ${v2ProtobufType}` : ''}`,
  )
}
