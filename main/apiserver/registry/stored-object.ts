// One stored object at one revision, as the API shows it. The stored text never holds a resourceVersion: it is spliced in here,
// once, and the same string and Buffer serve every get, list and watcher. The parsed form is made lazily, once, and frozen.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { StoreEntry } from '../../store/store.ts'

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED'

export class StoredObject {
  readonly entry: StoreEntry
  /** The revision shown as metadata.resourceVersion (a deletion's own revision for deleted objects). */
  readonly revision: number
  readonly #codec: ObjectCodec
  #text: string | undefined
  #object: KubeObject | undefined
  #events: Partial<Record<EventType, Buffer>> | undefined

  constructor(entry: StoreEntry, revision: number, codec: ObjectCodec) {
    this.entry = entry
    this.revision = revision
    this.#codec = codec
  }

  /** JSON text with resourceVersion, in the served version. */
  get text(): string {
    this.#text ??= this.#codec.render(this.entry.value, this.revision)
    return this.#text
  }

  /** The parsed object, deeply frozen. */
  get object(): KubeObject {
    this.#object ??= this.#codec.parse(this.entry.value, this.revision)
    return this.#object
  }

  /** The parsed form when somebody has needed it already. */
  get parsed(): KubeObject | undefined {
    return this.#object
  }

  /** A private copy that may be changed. */
  copy(): KubeObject {
    return JSON.parse(this.text) as KubeObject
  }

  /** The line a JSON watch stream carries for this object. */
  eventLine(type: EventType): Buffer {
    this.#events ??= {}
    this.#events[type] ??= Buffer.from(`{"type":"${type}","object":${this.text}}\n`)
    return this.#events[type]
  }
}

export interface VersionConversion {
  fromStored(object: KubeObject): KubeObject
}

/** Turns stored texts of one resource into objects of one served version. */
export class ObjectCodec {
  readonly #kind: string
  readonly #apiVersion: string
  readonly #head: string
  readonly #storedHead: string
  readonly #conversion: VersionConversion | undefined
  readonly #live = new WeakMap<StoreEntry, StoredObject>()
  readonly #deleted = new WeakMap<StoreEntry, StoredObject>()

  constructor(options: {
    apiVersion: string
    storedApiVersion: string
    kind: string
    conversion?: VersionConversion | undefined
  }) {
    this.#kind = options.kind
    this.#apiVersion = options.apiVersion
    this.#head = headOf(options.kind, options.apiVersion)
    this.#storedHead = headOf(options.kind, options.storedApiVersion)
    this.#conversion = options.conversion
  }

  of(entry: StoreEntry): StoredObject {
    let stored = this.#live.get(entry)
    if (stored === undefined) {
      stored = new StoredObject(entry, entry.modRevision, this)
      this.#live.set(entry, stored)
    }
    return stored
  }

  /** The last state of an object, shown with the revision at which it went (or left a selection). */
  gone(entry: StoreEntry, revision: number): StoredObject {
    let stored = this.#deleted.get(entry)
    if (stored?.revision !== revision) {
      stored = new StoredObject(entry, revision, this)
      this.#deleted.set(entry, stored)
    }
    return stored
  }

  render(value: string, revision: number): string {
    if (this.#conversion !== undefined || !value.startsWith(this.#storedHead))
      return JSON.stringify(this.#convert(value, revision))
    // Revision 0: a dry run's result, which no revision has.
    if (revision === 0) return `${this.#head}${value.slice(this.#storedHead.length)}`
    return `${this.#head}"resourceVersion":"${String(revision)}",${value.slice(this.#storedHead.length)}`
  }

  parse(value: string, revision: number): KubeObject {
    return deepFreeze(this.#convert(value, revision))
  }

  /** Written under another version of the same data (a definition whose storage version has changed). */
  #retype({ kind: _kind, apiVersion: _apiVersion, ...rest }: KubeObject): KubeObject {
    return { kind: this.#kind, apiVersion: this.#apiVersion, ...rest }
  }

  #convert(value: string, revision: number): KubeObject {
    if (this.#conversion === undefined && value.startsWith(this.#storedHead))
      return JSON.parse(this.render(value, revision)) as KubeObject
    const parsed = JSON.parse(value) as KubeObject
    const object = this.#conversion === undefined ? this.#retype(parsed) : this.#conversion.fromStored(parsed)
    if (revision !== 0) object.metadata.resourceVersion = String(revision)
    return object
  }
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

export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const key in value) deepFreeze(value[key])
  return Object.freeze(value)
}

/** A private copy of JSON data. */
export const deepCopy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T
