// A transport whose answers a test writes down: what lists return and what watches deliver, and when they break.
import type { KubeList, KubeObject, WatchEvent } from '../../machinery/meta.ts'
import type { ApiRequest, Transport } from '../transport.ts'

export interface ScriptedWatch {
  readonly request: ApiRequest
  send(event: WatchEvent): void
  end(error?: Error): void
}

export interface ScriptedTransport extends Transport {
  readonly requests: ApiRequest[]
  readonly watches: ScriptedWatch[]
  /** Answers requests other than watches; may throw. */
  answer: (request: ApiRequest) => unknown
}

export function createScriptedTransport(): ScriptedTransport {
  const transport: ScriptedTransport = {
    requests: [],
    watches: [],
    answer: () => {
      throw new Error('the test gave no answer')
    },
    async request<T>(request: ApiRequest): Promise<T> {
      transport.requests.push(request)
      return await Promise.resolve().then(() => transport.answer(request) as T)
    },
    async *watch<T extends KubeObject>(request: ApiRequest): AsyncGenerator<WatchEvent<T>> {
      const queue: WatchEvent[] = []
      let ended: { error?: Error } | undefined
      let wake: () => void = () => undefined
      request.signal?.addEventListener('abort', () => {
        ended = {}
        wake()
      })
      transport.watches.push({
        request,
        send(event) {
          queue.push(event)
          wake()
        },
        end(error) {
          ended = error === undefined ? {} : { error }
          wake()
        },
      })
      request.onOpen?.()
      for (;;) {
        for (let event = queue.shift(); event !== undefined; event = queue.shift()) yield event as WatchEvent<T>
        if (ended !== undefined) {
          if (ended.error !== undefined) throw ended.error
          return
        }
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
  return transport
}

export const listOf = (resourceVersion: string, items: KubeObject[]): KubeList => ({
  apiVersion: 'v1',
  kind: 'List',
  metadata: { resourceVersion },
  items,
})
