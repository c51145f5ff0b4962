// The bytes of one watch stream on their way to its client. Per event and watcher this is nearly all there is to pay, so on
// HTTP/1.1 the chunk that all watchers share goes to the socket as it is, past the framing that ServerResponse would make each time.
import type { Socket } from 'node:net'
import type { HttpResponse } from '../apiserver.ts'
import { writeHead } from '../chain/respond.ts'

/** Beyond this a source that can wait does. */
const comfortableBytes = 512 * 1024

export class WatchOutput {
  readonly #res: HttpResponse
  #begun = false
  #batch: Buffer[] = []
  #batchBytes = 0

  constructor(res: HttpResponse) {
    this.#res = res
  }

  begin(headers: Record<string, string>): void {
    if (this.#begun) return
    this.#begun = true
    writeHead(this.#res, 200, headers)
    // HTTP/2 sends headers at once; HTTP/1.1 would wait for the first event.
    if ('flushHeaders' in this.#res) this.#res.flushHeaders()
  }

  /** What is written in one turn leaves together. Call flush() at the end of the turn when this returns true. */
  add(bytes: Buffer): boolean {
    this.#batchBytes += bytes.length
    return this.#batch.push(bytes) === 1
  }

  flush(): void {
    const batch = this.#batch
    const [first] = batch
    if (first === undefined || this.#res.destroyed) return
    this.#batch = []
    this.#batchBytes = 0
    const socket = this.#chunkedSocket
    if (socket !== undefined) {
      socket.write(chunkOf(batch))
      return
    }
    const bytes = batch.length === 1 ? first : Buffer.concat(batch)
    if ('stream' in this.#res) this.#res.write(bytes)
    else this.#res.write(bytes)
  }

  /** Added, but not flushed. */
  get batchBytes(): number {
    return this.#batchBytes
  }

  /** Flushed, but not taken by the client. */
  get pendingBytes(): number {
    return (this.#chunkedSocket ?? (this.#res as { writableLength: number })).writableLength
  }

  /** Undefined: go on at once. Resolves when the client has caught up or is gone. */
  ready(): Promise<void> | undefined {
    if (this.pendingBytes < comfortableBytes) return undefined
    const source = this.#chunkedSocket ?? this.#res
    return new Promise((resolve) => {
      const settle = (): void => {
        source.off('drain', settle)
        this.#res.off('close', settle)
        resolve()
      }
      source.on('drain', settle)
      this.#res.on('close', settle)
    })
  }

  end(): void {
    this.flush()
    this.#res.end()
  }

  /** The socket, when it is this response's turn on it and the body is chunked. */
  get #chunkedSocket(): Socket | undefined {
    const res = this.#res
    return !('stream' in res) && this.#begun && res.chunkedEncoding ? (res.socket ?? undefined) : undefined
  }
}

const lineEnd = Buffer.from('\r\n')
let last: { readonly batch: readonly Buffer[]; readonly chunk: Buffer } | undefined

/** A batch as one chunk of an HTTP/1.1 body. The watchers of one commit ask for the same one after the other. */
function chunkOf(batch: readonly Buffer[]): Buffer {
  if (last?.batch.length !== batch.length || batch.some((bytes, index) => bytes !== last?.batch[index])) {
    const length = batch.reduce((sum, bytes) => sum + bytes.length, 0)
    last = { batch, chunk: Buffer.concat([Buffer.from(`${length.toString(16)}\r\n`), ...batch, lineEnd]) }
  }
  return last.chunk
}

let due: (() => void)[] = []

/** Runs when this turn's promises have settled: whoever made a change is answered before all who watch it are told. */
export function afterAnswers(flush: () => void): void {
  if (due.push(flush) > 1) return
  process.nextTick(() => {
    const all = due
    due = []
    for (const each of all) each()
  })
}
