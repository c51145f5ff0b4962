// A machine's serial console: one socket to QEMU, any number of readers. QEMU itself appends everything to a log file, also while
// no engine runs; readers are fed from that file and the socket serves for input and as the signal that there is more to read.
// So nothing is lost or doubled over an engine restart. The file is cut when it grows: its older half lives in "<file>.1".
import { copyFile, type FileHandle, open, truncate } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { type Endpoint, socketOptions } from './endpoint.ts'

export type ConsoleListener = (chunk: Buffer) => void

export interface SerialConsole {
  /** Calls `listener` with up to `historyBytes` of earlier output first, then with everything new, in order. Returns unsubscribe. */
  attach(listener: ConsoleListener, options?: { historyBytes?: number }): () => void
  /** Types into the console. False when it is not connected. */
  write(bytes: Uint8Array): boolean
  /** The last `bytes` of output, from the log. */
  tail(bytes: number): Promise<Buffer>
  /** Settles when QEMU closed the console and all output was delivered. */
  readonly ended: Promise<void>
  close(): void
}

/** Output in one burst is delivered together: fewer, larger messages to watchers; below what a person notices. */
const gatherMs = 8
/** QEMU writes to the socket just before the log; a second look after the burst finds a late last line. */
const lateWriteMs = 40
const defaultHistoryBytes = 256 * 1024
const maxLogBytes = 8 * 1024 * 1024
const readBytes = 256 * 1024

export interface ConsoleOptions {
  readonly endpoint: Endpoint
  readonly logPath: string
  /** Byte offset in the log from which live output starts: the log's size when the VM was started. */
  readonly fromOffset?: number
  readonly maxLogBytes?: number
}

/** Connects to QEMU's console socket; rejects when nothing listens there. */
export async function openConsole(options: ConsoleOptions): Promise<SerialConsole> {
  const socket = connect(socketOptions(options.endpoint))
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  const file = await open(options.logPath, 'a+', 0o600)
  return new LoggedConsole(socket, file, options)
}

interface Reader {
  readonly listener: ConsoleListener
  /** Live chunks that arrived while the history was read; undefined once it was delivered. */
  waiting: Buffer[] | undefined
}

class LoggedConsole implements SerialConsole {
  readonly ended: Promise<void>
  readonly #socket: Socket
  readonly #file: FileHandle
  readonly #logPath: string
  readonly #maxLogBytes: number
  readonly #readers = new Set<Reader>()
  #position: number
  #timer: NodeJS.Timeout | undefined
  #reading: Promise<void> = Promise.resolve()
  #moreSince = false
  #closed = false

  constructor(socket: Socket, file: FileHandle, options: ConsoleOptions) {
    this.#socket = socket
    this.#file = file
    this.#logPath = options.logPath
    this.#maxLogBytes = options.maxLogBytes ?? maxLogBytes
    this.#position = options.fromOffset ?? 0
    socket.on('data', () => {
      this.#schedule(gatherMs)
    })
    socket.on('error', () => undefined)
    this.ended = new Promise((resolve) => {
      socket.once('close', () => {
        void this.#finish().then(resolve)
      })
    })
    this.#schedule(0)
  }

  attach(listener: ConsoleListener, options: { historyBytes?: number } = {}): () => void {
    const reader: Reader = { listener, waiting: [] }
    this.#readers.add(reader)
    const until = this.#position
    void this.#readLog(until, options.historyBytes ?? defaultHistoryBytes)
      .catch(() => Buffer.alloc(0))
      .then((history) => {
        const waiting = reader.waiting ?? []
        reader.waiting = undefined
        if (!this.#readers.has(reader)) return
        for (const chunk of [history, ...waiting]) if (chunk.length > 0) listener(chunk)
      })
    return () => this.#readers.delete(reader)
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closed || this.#socket.destroyed) return false
    this.#socket.write(bytes)
    return true
  }

  tail(bytes: number): Promise<Buffer> {
    return readConsoleTail(this.#logPath, bytes)
  }

  close(): void {
    this.#socket.destroy()
  }

  #schedule(afterMs: number): void {
    this.#moreSince = true
    if (this.#timer !== undefined || this.#closed) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#moreSince = false
      this.#reading = this.#reading.then(() => this.#deliver())
      void this.#reading.then(() => {
        if (afterMs === lateWriteMs && !this.#moreSince) return
        this.#schedule(lateWriteMs)
      })
    }, afterMs)
  }

  async #deliver(): Promise<void> {
    try {
      const { size } = await this.#file.stat()
      if (size < this.#position) this.#position = 0
      while (this.#position < size) {
        const { buffer, bytesRead } = await this.#file.read(
          Buffer.allocUnsafe(Math.min(readBytes, size - this.#position)),
          0,
          null,
          this.#position,
        )
        if (bytesRead === 0) break
        this.#position += bytesRead
        this.#emit(buffer.subarray(0, bytesRead))
      }
      if (this.#position > this.#maxLogBytes) await this.#rotate()
    } catch {
      // The log was removed under us (machine deleted): there is nothing left to deliver.
    }
  }

  #emit(chunk: Buffer): void {
    for (const reader of this.#readers) {
      if (reader.waiting === undefined) reader.listener(chunk)
      else reader.waiting.push(chunk)
    }
  }

  /** QEMU keeps its descriptor, opened for appending: emptying the file is the only way to start it afresh. */
  async #rotate(): Promise<void> {
    await copyFile(this.#logPath, `${this.#logPath}.1`)
    await truncate(this.#logPath, 0)
    this.#position = 0
  }

  async #finish(): Promise<void> {
    clearTimeout(this.#timer)
    this.#closed = true
    await this.#reading
    await this.#deliver()
    await this.#file.close()
  }

  #readLog(until: number, bytes: number): Promise<Buffer> {
    return readRange(this.#logPath, until, bytes)
  }
}

/** The last `bytes` of a console log, reaching into the rotated file where needed. Empty when there is no log yet. */
export async function readConsoleTail(logPath: string, bytes: number): Promise<Buffer> {
  try {
    return await readRange(logPath, Number.MAX_SAFE_INTEGER, bytes)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}

async function readRange(logPath: string, until: number, bytes: number): Promise<Buffer> {
  const recent = await readEnd(logPath, until, bytes)
  if (recent.length >= bytes) return recent
  const older = await readEnd(`${logPath}.1`, Number.MAX_SAFE_INTEGER, bytes - recent.length).catch(() =>
    Buffer.alloc(0),
  )
  return Buffer.concat([older, recent])
}

async function readEnd(path: string, until: number, bytes: number): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    const end = Math.min(until, (await file.stat()).size)
    const start = Math.max(0, end - bytes)
    const buffer = Buffer.alloc(end - start)
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
