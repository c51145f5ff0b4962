// One stored object at one revision, as the API shows it. The stored text never holds a resourceVersion: it is spliced in on the
// way out, without parsing or copying the rest. The parsed form is made lazily, once, and shared by every reader in the process.
// Everything here runs for each object of each list and each event of each watcher: it must stay cheap in time and in what it keeps.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { StoreEntry } from '../../store/store.ts'

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED'

/** Freezing finds code that changes what it may only read. It costs a tenth of a write, so programs as built go without. */
const freezing = process.env['NODE_ENV'] !== 'production'

export class StoredObject {
  readonly entry: StoreEntry
  /** The revision shown as metadata.resourceVersion (a deletion's own revision for deleted objects). */
  readonly revision: number
  readonly codec: ObjectCodec
  #current: string | undefined
  #converted: string | undefined
  #object: KubeObject | undefined
  #lines: Partial<Record<EventType, Buffer>> | undefined

  constructor(entry: StoreEntry, revision: number, codec: ObjectCodec, object?: KubeObject) {
    this.entry = entry
    this.revision = revision
    this.codec = codec
    this.#object = object
  }

  /** JSON text with resourceVersion, in the served version. */
  get text(): string {
    const [head, rest] = this.textParts
    return head + rest
  }

  /** The text in two parts; the second is a view of the stored text, which a list of thousands writes out without a copy. */
  get textParts(): readonly [head: string, rest: string] {
    const spliced = this.codec.splice(this.#stored, this.revision, this.codec.head)
    if (spliced !== undefined) return spliced
    this.#converted ??= JSON.stringify(this.object)
    return ['', this.#converted]
  }

  /** The same as an item of a list, whose kind says theirs: only custom resources repeat it. */
  get itemParts(): readonly [head: string, rest: string] {
    const spliced = this.codec.splice(this.#stored, this.revision, this.codec.itemHead)
    return spliced ?? ['', JSON.stringify(this.codec.asItem(this.object))]
  }

  /** The parsed object; must not be changed. */
  get object(): KubeObject {
    this.#object ??= this.codec.parse(this.#stored, this.revision)
    return this.#object
  }

  /** Writing it again as it is would store another text: the schema has changed since it was written. */
  get isOutdated(): boolean {
    return this.#stored !== this.entry.value
  }

  get #stored(): string {
    return (this.#current ??= this.codec.current(this.entry))
  }

  /** The parsed form when somebody has needed it already. */
  get parsed(): KubeObject | undefined {
    return this.#object
  }

  /** A private copy that may be changed. */
  copy(): KubeObject {
    return JSON.parse(this.text) as KubeObject
  }

  /** What a JSON watch stream carries for this object: the same bytes for all watchers that are told in the same turn. */
  eventLine(type: EventType): Buffer {
    if (this.#lines === undefined) {
      this.#lines = {}
      forgetLinesLater(this)
    }
    this.#lines[type] ??= Buffer.from(`{"type":"${type}","object":${this.text}}\n`)
    return this.#lines[type]
  }

  forgetLines(): void {
    this.#lines = undefined
  }
}

let withLines: StoredObject[] = []

/** Lines are many times the size of what they save when nobody watches any more. */
function forgetLinesLater(stored: StoredObject): void {
  if (withLines.push(stored) > 1) return
  setImmediate(() => {
    for (const each of withLines) each.forgetLines()
    withLines = []
  })
}

export interface VersionConversion {
  fromStored(object: KubeObject): KubeObject
}

/** Of a definition whose schema changes: what was stored before is read by the schema of today. */
export interface SchemaRenewal {
  /** The last revision that may have been written under an earlier schema. */
  readonly until: number
  /** Drops what the schema no longer knows and sets its defaults, in place. */
  renew(object: KubeObject): void
}

/** Turns stored texts of one resource into objects of one served version. */
export class ObjectCodec {
  readonly #kind: string
  readonly #apiVersion: string
  /** What the text of an object begins with, by itself and in a list. */
  readonly head: string
  readonly itemHead: string
  readonly #storedHead: string
  readonly #conversion: VersionConversion | undefined
  readonly #renewal: SchemaRenewal | undefined

  constructor(options: {
    apiVersion: string
    storedApiVersion: string
    kind: string
    typedItems: boolean
    conversion?: VersionConversion | undefined
    renewal?: SchemaRenewal | undefined
  }) {
    this.#kind = options.kind
    this.#apiVersion = options.apiVersion
    this.head = headOf(options.kind, options.apiVersion)
    this.itemHead = options.typedItems ? this.head : '{"metadata":{'
    this.#storedHead = headOf(options.kind, options.storedApiVersion)
    this.#conversion = options.conversion
    this.#renewal = options.renewal
  }

  of(entry: StoreEntry): StoredObject {
    return this.#at(entry, entry.modRevision)
  }

  /** The last state of an object, shown with the revision at which it went (or left a selection). */
  gone(entry: StoreEntry, revision: number): StoredObject {
    return this.#at(entry, revision)
  }

  /** Kept with the entry, so that all watchers and readers share one parsed object. */
  #at(entry: StoreEntry, revision: number): StoredObject {
    const { view } = entry
    const known = view instanceof StoredObject && view.codec === this ? view : undefined
    if (known?.revision === revision) return known
    // Deleted: the same object at another revision, which need not be read again.
    return (entry.view = new StoredObject(entry, revision, this, known?.parsed && atRevision(known.parsed, revision)))
  }

  /** The stored text by the schema of today; the very same one when that changes nothing. */
  current({ value, modRevision }: StoreEntry): string {
    if (this.#renewal === undefined || modRevision > this.#renewal.until) return value
    // Another version's schema says nothing about it.
    if (!value.startsWith(this.#storedHead)) return value
    const object = JSON.parse(value) as KubeObject
    this.#renewal.renew(object)
    const renewed = encodeForStore(object)
    return renewed === value ? value : renewed
  }

  /** The served text in two parts; undefined when it is not what is stored and must be made of the object. */
  splice(value: string, revision: number, head: string): [head: string, rest: string] | undefined {
    if (this.#conversion !== undefined || !value.startsWith(this.#storedHead)) return undefined
    // Revision 0: a dry run's result, which no revision has.
    const version = revision === 0 ? '' : `"resourceVersion":"${String(revision)}",`
    return [head + version, value.slice(this.#storedHead.length)]
  }

  parse(value: string, revision: number): KubeObject {
    const spliced = this.splice(value, revision, this.head)
    const object = spliced === undefined ? this.#convert(value, revision) : (JSON.parse(spliced.join('')) as KubeObject)
    return freezing ? deepFreeze(object) : object
  }

  /** What a list shows of the object; it shares the parts. */
  asItem(object: KubeObject): object {
    if (this.itemHead === this.head) return object
    const { kind: _kind, apiVersion: _apiVersion, ...rest } = object
    return rest
  }

  /** Written under another version of the same data (a definition whose storage version has changed). */
  #retype({ kind: _kind, apiVersion: _apiVersion, ...rest }: KubeObject): KubeObject {
    return { kind: this.#kind, apiVersion: this.#apiVersion, ...rest }
  }

  #convert(value: string, revision: number): KubeObject {
    const parsed = JSON.parse(value) as KubeObject
    const object = this.#conversion === undefined ? this.#retype(parsed) : this.#conversion.fromStored(parsed)
    if (revision !== 0) object.metadata.resourceVersion = String(revision)
    return object
  }
}

function atRevision(object: KubeObject, revision: number): KubeObject {
  const moved = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } }
  return freezing ? deepFreeze(moved) : moved
}

function headOf(kind: string, apiVersion: string): string {
  return `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":{`
}

/** The text to store: kind, apiVersion and metadata first (so that resourceVersion can be spliced in), without resourceVersion. */
export function encodeForStore(object: KubeObject): string {
  const { kind, apiVersion, metadata, ...rest } = object
  const { resourceVersion: _, ...storedMetadata } = metadata
  return JSON.stringify({ kind, apiVersion, metadata: storedMetadata, ...rest })
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const key in value) deepFreeze(value[key])
  return Object.freeze(value)
}

/** A private copy of JSON data. */
export const deepCopy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T
