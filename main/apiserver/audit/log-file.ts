// Audit events into a file of lines, put aside when it grows too large: NAME-2026-01-01T00-00-00.000.EXT, as upstream's rotation names
// them. Lines of one turn of the event loop go out in one write.
import { createWriteStream, mkdirSync, readdirSync, renameSync, rmSync, statSync, type WriteStream } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import type { Logger } from '../../../common/machinery/logger.ts'

export interface LogFileOptions {
  /** "-": standard output. */
  readonly path: string
  readonly maxAgeDays?: number
  readonly maxBackups?: number
  /** Default 100. */
  readonly maxSizeMiB?: number
  readonly now: () => number
  readonly logger: Logger
}

export interface AuditLog {
  /** Takes one event as a line of JSON, without its end. */
  readonly sink: (line: string) => void
  /** Resolves when everything is written. */
  close(): Promise<void>
}

/** Throws when the file cannot be made. */
export function openAuditLog(options: LogFileOptions): AuditLog {
  const { path } = options
  return path === '-'
    ? { sink: (line) => process.stdout.write(`${line}\n`), close: () => Promise.resolve() }
    : new RotatingFile(options)
}

class RotatingFile implements AuditLog {
  readonly #options: LogFileOptions
  readonly #limit: number
  #size = 0
  #stream: WriteStream
  #waiting: string[] = []

  constructor(options: LogFileOptions) {
    this.#options = options
    this.#limit = (options.maxSizeMiB ?? 100) * 1024 * 1024
    mkdirSync(dirname(options.path), { recursive: true })
    this.#stream = this.#open()
  }

  sink = (line: string): void => {
    if (this.#waiting.length === 0) setImmediate(this.#flush)
    this.#waiting.push(line)
  }

  close(): Promise<void> {
    this.#flush()
    return new Promise((resolve) => {
      this.#stream.end(() => {
        resolve()
      })
    })
  }

  readonly #flush = (): void => {
    if (this.#waiting.length === 0) return
    const text = Buffer.from(`${this.#waiting.join('\n')}\n`)
    this.#waiting = []
    if (this.#size > 0 && this.#size + text.length > this.#limit) this.#rotate()
    this.#size += text.length
    this.#stream.write(text)
  }

  #open(): WriteStream {
    const { path, logger } = this.#options
    const { size } = statSync(path, { throwIfNoEntry: false }) ?? { size: 0 }
    this.#size = size
    const stream = createWriteStream(path, { flags: 'a', mode: 0o600 })
    stream.on('error', (error) => {
      logger.error('audit events could not be written', { path, error })
    })
    return stream
  }

  #rotate(): void {
    const { path, now, logger } = this.#options
    const stamp = new Date(now()).toISOString().slice(0, -1).replaceAll(':', '-')
    const extension = extname(path)
    try {
      renameSync(path, `${path.slice(0, path.length - extension.length)}-${stamp}${extension}`)
      this.#stream.end()
      this.#stream = this.#open()
      this.#dropOld()
    } catch (error) {
      logger.error('the audit log could not be put aside', { path, error })
    }
  }

  #dropOld(): void {
    const { path, maxAgeDays = 0, maxBackups = 0, now } = this.#options
    const folder = dirname(path)
    const extension = extname(path)
    const prefix = `${basename(path, extension)}-`
    const backups = readdirSync(folder)
      .filter((name) => name.startsWith(prefix) && name.endsWith(extension))
      .sort()
      .reverse()
    for (const [index, name] of backups.entries()) {
      const file = join(folder, name)
      const tooOld = maxAgeDays > 0 && statSync(file).mtimeMs < now() - maxAgeDays * 86_400_000
      if (tooOld || (maxBackups > 0 && index >= maxBackups)) rmSync(file)
    }
  }
}
