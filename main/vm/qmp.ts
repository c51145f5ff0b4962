// QMP client: QEMU's JSON monitor over a local socket (docs/interop/qmp-spec in QEMU). One connection per VM at a time: QEMU
// serves a single monitor client. Commands are answered in order; events come in between.
import { connect, type Socket } from 'node:net'
import { type Endpoint, formatEndpoint, socketOptions } from './endpoint.ts'

export class QmpError extends Error {
  override readonly name = 'QmpError'
  /** QEMU's error class ("GenericError", "CommandNotFound", "DeviceNotFound"), "Timeout" or "Closed". */
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export interface QmpEvent {
  readonly event: string
  readonly data?: Readonly<Record<string, unknown>>
}

export interface QmpClient {
  /** From the greeting: [7, 2, 22]. */
  readonly version: readonly [number, number, number]
  /** Rejects with QmpError; `timeoutMs` default 10 s (QEMU answers in well under a millisecond unless its main loop is stuck). */
  execute<T = unknown>(command: string, args?: Record<string, unknown>, options?: { timeoutMs?: number }): Promise<T>
  onEvent(listener: (event: QmpEvent) => void): () => void
  /** Settles when the connection is gone for whatever reason. */
  readonly closed: Promise<void>
  close(): void
}

interface Pending {
  readonly command: string
  resolve(value: unknown): void
  reject(error: Error): void
  readonly timer: NodeJS.Timeout
}
interface QmpMessage {
  QMP?: { version: { qemu: { major: number; minor: number; micro: number } } }
  return?: unknown
  error?: { class: string; desc: string }
  event?: string
  data?: Record<string, unknown>
  id?: number
}

const defaultTimeoutMs = 10_000

/** Connects, reads the greeting and negotiates capabilities, all within `timeoutMs` (default 10 s). */
export function connectQmp(
  endpoint: Endpoint,
  options: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<QmpClient> {
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs
  return new Promise((resolve, reject) => {
    const socket = connect(socketOptions(endpoint))
    let greeted = false
    const fail = (error: Error): void => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', abort)
      socket.destroy()
      reject(error)
    }
    const abort = (): void => {
      fail(new QmpError('Closed', 'connecting to the QEMU monitor was cancelled'))
    }
    const timer = setTimeout(() => {
      fail(
        new QmpError(
          'Timeout',
          `the QEMU monitor at ${formatEndpoint(endpoint)} did not answer within ${String(timeoutMs)} ms`,
        ),
      )
    }, timeoutMs)
    if (options.signal?.aborted === true) {
      abort()
      return
    }
    options.signal?.addEventListener('abort', abort, { once: true })
    const session = new QmpSession(socket, (version) => {
      greeted = true
      session.version = version
      session.execute('qmp_capabilities', undefined, { timeoutMs }).then(() => {
        clearTimeout(timer)
        options.signal?.removeEventListener('abort', abort)
        resolve(session)
      }, fail)
    })
    socket.once('error', (error) => {
      fail(
        new QmpError('Closed', `cannot reach the QEMU monitor at ${formatEndpoint(endpoint)}: ${error.message}`, {
          cause: error,
        }),
      )
    })
    void session.closed.then(() => {
      if (!greeted)
        fail(
          new QmpError(
            'Closed',
            `the QEMU monitor at ${formatEndpoint(endpoint)} closed the connection before greeting`,
          ),
        )
    })
  })
}

class QmpSession implements QmpClient {
  version: readonly [number, number, number] = [0, 0, 0]
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #onGreeting: (version: readonly [number, number, number]) => void
  readonly #pending = new Map<number, Pending>()
  readonly #listeners = new Set<(event: QmpEvent) => void>()
  #nextId = 1
  #partial = ''
  #isClosed = false

  constructor(socket: Socket, onGreeting: (version: readonly [number, number, number]) => void) {
    this.#socket = socket
    this.#onGreeting = onGreeting
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      this.#receive(chunk)
    })
    socket.on('error', () => undefined)
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#isClosed = true
        for (const pending of this.#pending.values()) {
          clearTimeout(pending.timer)
          pending.reject(
            new QmpError('Closed', `the QEMU monitor closed while "${pending.command}" waited for its answer`),
          )
        }
        this.#pending.clear()
        resolve()
      })
    })
  }

  execute<T>(command: string, args?: Record<string, unknown>, options: { timeoutMs?: number } = {}): Promise<T> {
    const timeoutMs = options.timeoutMs ?? defaultTimeoutMs
    return new Promise<T>((resolve, reject) => {
      if (this.#isClosed) {
        reject(new QmpError('Closed', `the QEMU monitor is closed; "${command}" was not sent`))
        return
      }
      const id = this.#nextId++
      const timer = setTimeout(() => {
        this.#pending.delete(id)
        reject(new QmpError('Timeout', `QEMU did not answer "${command}" within ${String(timeoutMs)} ms`))
      }, timeoutMs)
      this.#pending.set(id, {
        command,
        resolve: (value) => {
          resolve(value as T)
        },
        reject,
        timer,
      })
      this.#socket.write(
        `${JSON.stringify({ execute: command, ...(args === undefined ? {} : { arguments: args }), id })}\n`,
      )
    })
  }

  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(chunk: string): void {
    const lines = (this.#partial + chunk).split('\n')
    this.#partial = lines.pop() ?? ''
    for (const line of lines) {
      if (line.trim() === '') continue
      let message: QmpMessage
      try {
        message = JSON.parse(line) as QmpMessage
      } catch {
        // Not a QMP server: nothing sensible can follow.
        this.#socket.destroy()
        return
      }
      this.#dispatch(message)
    }
  }

  #dispatch(message: QmpMessage): void {
    if (message.QMP !== undefined) {
      const { major, minor, micro } = message.QMP.version.qemu
      this.#onGreeting([major, minor, micro])
      return
    }
    if (message.event !== undefined) {
      const event: QmpEvent = { event: message.event, ...(message.data === undefined ? {} : { data: message.data }) }
      for (const listener of this.#listeners) listener(event)
      return
    }
    const pending = message.id === undefined ? undefined : this.#pending.get(message.id)
    if (pending === undefined || message.id === undefined) return
    this.#pending.delete(message.id)
    clearTimeout(pending.timer)
    if (message.error === undefined) pending.resolve(message.return)
    else pending.reject(new QmpError(message.error.class, `QEMU refused "${pending.command}": ${message.error.desc}`))
  }
}
