// Events of a watch whose objects a webhook has to convert: told in their order, each when its conversion is there.
import { internalError, StatusError } from '../../../../common/machinery/status.ts'
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
      const [converted = object] = await this.#conversion.toServed([object])
      if (!this.#ended) this.#sink.event(type, converted)
    })
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
