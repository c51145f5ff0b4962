// Reads CRI log files as `kubectl logs` wants them: tail, since, timestamps, byte limit, follow across rotations.
import { open, stat, type FileHandle } from 'node:fs/promises'
import { watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import { parseLogLine } from './log-format.ts'

export interface LogOptions {
  tailLines?: number
  timestamps: boolean
  /** Entries before this time are left out. */
  sinceMs?: number
  limitBytes?: number
  follow: boolean
  /** With follow: asked when the file has been read to its end; false ends the stream. */
  isRunning: () => Promise<boolean>
  signal: AbortSignal
}

const chunkBytes = 64 * 1024
/** The file's end is also looked at this often, for file systems that tell nothing. */
const recheckMs = 5_000

export async function* readLog(path: string, options: LogOptions): AsyncGenerator<Buffer> {
  const output = new LimitedOutput(options)
  let file = await open(path)
  try {
    let offset = options.tailLines === undefined ? 0 : await tailOffset(file, options.tailLines)
    let rest: Buffer = Buffer.alloc(0)
    while (!options.signal.aborted) {
      const { lines, read, remaining } = await readLines(file, offset, rest)
      offset += read
      rest = remaining
      for (const line of lines) {
        const text = output.accept(line)
        if (text !== undefined) yield text
        if (output.exhausted) return
      }
      if (read > 0) continue
      if (!options.follow) return
      const rotated = await isRotated(file, path)
      if (rotated) {
        await file.close()
        file = await open(path)
        offset = 0
        rest = Buffer.alloc(0)
        continue
      }
      const running = await options.isRunning()
      const grown = await waitForChange(path, file, offset, { stop: !running, signal: options.signal })
      if (!grown && !running) return
    }
  } finally {
    await file.close()
  }
}

async function readLines(
  file: FileHandle,
  offset: number,
  rest: Buffer,
): Promise<{ lines: Buffer[]; read: number; remaining: Buffer }> {
  const buffer = Buffer.allocUnsafe(chunkBytes)
  const { bytesRead } = await file.read(buffer, 0, chunkBytes, offset)
  let text = rest.length === 0 ? buffer.subarray(0, bytesRead) : Buffer.concat([rest, buffer.subarray(0, bytesRead)])
  const lines: Buffer[] = []
  for (let end = text.indexOf(0x0a); end >= 0; end = text.indexOf(0x0a)) {
    lines.push(text.subarray(0, end + 1))
    text = text.subarray(end + 1)
  }
  return { lines, read: bytesRead, remaining: text }
}

/** Where the last `count` lines begin; partial entries count towards the line they belong to only roughly, as upstream. */
async function tailOffset(file: FileHandle, count: number): Promise<number> {
  const { size } = await file.stat()
  if (count <= 0) return size
  let end = size
  let found = 0
  while (end > 0) {
    const start = Math.max(0, end - chunkBytes)
    const buffer = Buffer.allocUnsafe(end - start)
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start)
    for (let at = bytesRead - 1; at >= 0; at--) {
      if (buffer[at] !== 0x0a || start + at === size - 1) continue
      found++
      if (found === count) return start + at + 1
    }
    end = start
  }
  return 0
}

async function isRotated(file: FileHandle, path: string): Promise<boolean> {
  const named = await stat(path).catch(() => undefined)
  return named !== undefined && named.ino !== (await file.stat()).ino
}

function waitForChange(
  path: string,
  file: FileHandle,
  offset: number,
  options: { stop: boolean; signal: AbortSignal },
): Promise<boolean> {
  if (options.stop) return file.stat().then(({ size }) => size > offset)
  return new Promise((resolve) => {
    const name = basename(path)
    const finish = (): void => {
      clearTimeout(timer)
      watcher.close()
      options.signal.removeEventListener('abort', finish)
      resolve(true)
    }
    const watcher = watch(dirname(path), (_type, changed) => {
      if (changed === null || changed === name) finish()
    })
    watcher.on('error', finish)
    const timer = setTimeout(finish, recheckMs)
    options.signal.addEventListener('abort', finish)
    // What was written between the last read and the watch would not be told.
    void file.stat().then(({ size }) => {
      if (size > offset) finish()
    }, finish)
  })
}

/** Applies since, timestamps and the byte limit to entries. */
class LimitedOutput {
  readonly #options: LogOptions
  #left: number
  #pastSince: boolean

  constructor(options: LogOptions) {
    this.#options = options
    this.#left = options.limitBytes ?? Infinity
    this.#pastSince = options.sinceMs === undefined
  }

  get exhausted(): boolean {
    return this.#left <= 0
  }

  accept(line: Buffer): Buffer | undefined {
    const entry = parseLogLine(line)
    if (entry === undefined) return undefined
    if (!this.#pastSince) {
      if (Date.parse(entry.timestamp) < (this.#options.sinceMs ?? 0)) return undefined
      this.#pastSince = true
    }
    const text = this.#options.timestamps
      ? Buffer.concat([Buffer.from(`${entry.timestamp} `), entry.content])
      : entry.content
    const shown = text.length <= this.#left ? text : text.subarray(0, this.#left)
    this.#left -= shown.length
    return shown
  }
}
