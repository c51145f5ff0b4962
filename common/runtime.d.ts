// What every runtime of the project has (browser, Node on the host, Node in the guest), and nothing else:
// code under common/ compiles against exactly this, so it cannot reach for node:* or the DOM by accident.
interface AbortSignal {
  readonly aborted: boolean
  readonly reason: unknown
  throwIfAborted(): void
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}
declare const AbortSignal: {
  timeout(ms: number): AbortSignal
  any(signals: AbortSignal[]): AbortSignal
  abort(reason?: unknown): AbortSignal
}
interface AbortController {
  readonly signal: AbortSignal
  abort(reason?: unknown): void
}
declare const AbortController: { new (): AbortController }
type TimerHandle = number | { unref?(): void }
declare function setTimeout(callback: () => void, ms?: number): TimerHandle
declare function clearTimeout(handle: TimerHandle | undefined): void
declare function setInterval(callback: () => void, ms?: number): TimerHandle
declare function clearInterval(handle: TimerHandle | undefined): void
declare function queueMicrotask(callback: () => void): void
declare function structuredClone<T>(value: T): T
interface TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>
}
declare const TextEncoder: { new (): TextEncoder }
interface TextDecoder {
  decode(bytes?: Uint8Array, options?: { stream?: boolean }): string
}
declare const TextDecoder: { new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder }
declare function atob(text: string): string
declare function btoa(text: string): string
interface URLSearchParams {
  get(name: string): string | null
  getAll(name: string): string[]
  has(name: string): boolean
  set(name: string, value: string): void
  append(name: string, value: string): void
  toString(): string
  entries(): IterableIterator<[string, string]>
  forEach(callback: (value: string, name: string) => void): void
}
declare const URLSearchParams: { new (init?: string | Record<string, string> | [string, string][]): URLSearchParams }
declare const performance: { now(): number }
declare const crypto: { getRandomValues<T extends Uint8Array>(array: T): T; randomUUID(): string }
declare function fetch(
  url: string,
  init?: {
    method?: string
    headers?: Record<string, string>
    body?: string
    signal?: AbortSignal
    credentials?: 'same-origin' | 'include' | 'omit'
  },
): Promise<{
  readonly ok: boolean
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: {
    getReader(): { read(): Promise<{ done: boolean; value?: Uint8Array }>; cancel(reason?: unknown): Promise<void> }
  } | null
  text(): Promise<string>
}>
