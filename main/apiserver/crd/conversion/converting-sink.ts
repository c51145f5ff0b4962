// Events of a watch whose objects a webhook has to convert: told in their order, each when its conversion is there.
import { internalError, StatusError } from '../../../../common/machinery/status.ts'
import type { Selection } from '../../registry/selection.ts'
import type { EventType, StoredObject } from '../../registry/stored-object.ts'
import type { WatchSink } from '../../watch/watch-sink.ts'
import type { ServedConversion } from './conversion.ts'

export class ConvertingSink implements WatchSink {
  readonly #sink: WatchSink
  readonly #conversion: ServedConversion
  #last: Promise<void> = Promise.resolve()
  #ended = false

  constructor(sink: WatchSink, conversion: ServedConversion) {
    this.#sink = sink
    this.#conversion = conversion
  }

  event(type: EventType, object: StoredObject): void {
    this.#next(async () => {
      const converted = await this.#toServed(object)
      if (!this.#ended) this.#sink.event(type, converted)
    })
  }

  /** A change as the selection sees it, which speaks of the version that is served. */
  change(
    selection: Selection,
    { now, before, gone }: Readonly<Record<'now' | 'before' | 'gone', StoredObject | undefined>>,
  ): void {
    this.#next(async () => {
      const seen = now && (await this.#toServed(now))
      const matches = seen !== undefined && selection.matches(seen.object)
      const matched = before !== undefined && selection.matches((await this.#toServed(before)).object)
      if (this.#ended) return
      if (matches) this.#sink.event(matched ? 'MODIFIED' : 'ADDED', seen)
      else if (matched && gone !== undefined) this.#sink.event('DELETED', await this.#toServed(gone))
    })
  }

  async #toServed(object: StoredObject): Promise<StoredObject> {
    const [converted = object] = await this.#conversion.toServed([object])
    return converted
  }

  bookmark(revision: number, initialEventsEnd: boolean): void {
    this.#next(() => {
      this.#sink.bookmark(revision, initialEventsEnd)
    })
  }

  async ready(): Promise<void> {
    await this.#last
    await this.#sink.ready()
  }

  end(error?: StatusError): void {
    this.#next(() => {
      this.#end(error)
    })
  }

  #next(work: () => void | Promise<void>): void {
    this.#last = this.#last.then(async () => {
      if (this.#ended) return
      try {
        await work()
      } catch (error) {
        // A client that is not told of one object cannot trust what it holds: it lists again.
        this.#end(error instanceof StatusError ? error : internalError(String(error)))
      }
    })
  }

  #end(error: StatusError | undefined): void {
    if (this.#ended) return
    this.#ended = true
    this.#sink.end(error)
  }
}
