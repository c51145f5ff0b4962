// A machine's serial console: one socket to QEMU, any number of readers. QEMU itself appends everything to a log file, also while
// no engine runs; readers are fed from that file and the socket serves for input and as the signal that there is more to read.
// So nothing is lost or doubled over an engine restart. The file is cut when it grows: its older half lives in "<file>.1".
import { fstatSync, readSync, truncateSync } from 'node:fs'
import { appendFile, copyFile, type FileHandle, open, stat } from 'node:fs/promises'
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
/** QEMU writes to the socket just before the log: what is announced but not there yet is looked for again, ever later, up to this. */
const maxPatienceMs = 2_000
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
  /** Where the log will end when it has all that came through the socket; QEMU writes the socket first. */
  #announced: number
  #patienceMs = gatherMs
  #closed = false

  constructor(socket: Socket, file: FileHandle, options: ConsoleOptions) {
    this.#socket = socket
    this.#file = file
    this.#logPath = options.logPath
    this.#maxLogBytes = options.maxLogBytes ?? maxLogBytes
    this.#position = options.fromOffset ?? 0
    this.#announced = fstatSync(file.fd).size
    socket.on('data', (chunk: Buffer) => {
      this.#announced += chunk.length
      this.#patienceMs = gatherMs
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
    if (this.#timer !== undefined || this.#closed) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#reading = this.#reading.then(() => this.#deliver())
      void this.#reading.then(() => {
        if (this.#position < this.#announced && this.#patienceMs <= maxPatienceMs)
          this.#schedule((this.#patienceMs *= 2))
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

  /**
   * QEMU keeps its descriptor, opened for appending: emptying the file is the only way to start it afresh. What is written while
   * the copy runs is fetched in one synchronous step with the emptying, which leaves QEMU microseconds in which to lose a byte.
   */
  async #rotate(): Promise<void> {
    const older = `${this.#logPath}.1`
    await copyFile(this.#logPath, older)
    const copied = (await stat(older)).size
    const size = fstatSync(this.#file.fd).size
    const rest = Buffer.alloc(size - Math.min(copied, this.#position))
    readSync(this.#file.fd, rest, 0, rest.length, size - rest.length)
    truncateSync(this.#logPath, 0)
    const unseen = rest.subarray(rest.length - (size - this.#position))
    this.#announced -= size
    this.#position = 0
    if (unseen.length > 0) this.#emit(unseen)
    await appendFile(older, rest.subarray(rest.length - (size - copied)))
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
