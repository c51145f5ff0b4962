// Makes batches durable. The fast road is the commit log, from which the database takes them over many at a time, in the
// background; the other road is the database itself: while there is no log yet, when the log is full, for large batches, and when the
// disk is. Whatever was written is in the log or in the database before it is acknowledged, and reaches the database in order.
import { randomInt } from 'node:crypto'
import { ClosedError, DiskFullError } from '../store.ts'
import { CommitLog, commitLogFile } from './commit-log.ts'
import type { Rows } from './protocol.ts'
import { rowWidth } from './protocol.ts'
import type { WorkerClient } from './worker-client.ts'

/** A session that writes this often gets a log; one that only looks does not pay for it. */
const batchesBeforeLog = 32
/** The database takes over about this much at a time: enough that rows share pages, little enough that others wait only shortly. */
const rowsPerPiece = 256
const charactersPerPiece = 256 * 1024

interface Batch {
  readonly rows: Rows
  readonly characters: number
}

export class DurableWriter {
  readonly #client: WorkerClient
  readonly #file: string
  readonly #warn: (message: string, fields: Record<string, unknown>) => void
  #log: CommitLog | undefined
  /** Batches until a log is made; no longer counted when one was. */
  #untilLog = batchesBeforeLog
  #making: Promise<void> | undefined
  /** In the log and acknowledged, but not in the database. */
  #waiting: Batch[] = []
  #waitingRows = 0
  #waitingCharacters = 0
  #absorbing = false
  /** The database did not take what waits: nothing more is acknowledged before it has. */
  #stuck = false
  /** Commits to the database, one after the other: a later batch must never be there without the earlier ones. */
  #turn: Promise<void> = Promise.resolve()

  constructor(options: {
    client: WorkerClient
    /** The database's. */
    file: string
    warn: (message: string, fields: Record<string, unknown>) => void
  }) {
    this.#client = options.client
    this.#file = options.file
    this.#warn = options.warn
  }

  /** Has a log from now on, rather than after some batches. Only before the first write. */
  async useLog(): Promise<void> {
    this.#untilLog = 0
    await this.#makeLog()
  }

  /** One batch at a time. Rejects with DiskFullError (nothing happened) or ClosedError. */
  write(rows: Rows, characters: number): Promise<void> {
    const log = this.#log
    // Between two writes is the moment when everything appended is accounted for.
    if (this.#waiting.length === 0) log?.rewind()
    if (log === undefined || this.#stuck || !log.hasRoomFor(rows)) return this.#writeThrough(rows)
    return log.append(rows).then(
      () => {
        this.#waiting.push({ rows, characters })
        this.#waitingRows += rows.length / rowWidth
        this.#waitingCharacters += characters
        if (this.#enoughWaits) this.#absorbInBackground()
      },
      (error: unknown) => this.#withoutLog(rows, error),
    )
  }

  /** Resolves when the database has all that was written: history can be read from it. Throws DiskFullError, ClosedError. */
  async absorbed(): Promise<void> {
    while (this.#waiting.length > 0) await this.#inTurn(() => this.#absorbPiece())
  }

  /** Leaves the log behind only when the database has no room for it: the next start takes it over. */
  async close(closeDatabase: () => Promise<void>): Promise<void> {
    await this.#making
    const complete = await this.absorbed().then(
      () => true,
      () => false,
    )
    await this.#log?.close()
    await closeDatabase()
    if (complete) await this.#log?.remove()
  }

  get #enoughWaits(): boolean {
    return this.#waitingRows >= rowsPerPiece || this.#waitingCharacters >= charactersPerPiece
  }

  #absorbInBackground(): void {
    if (this.#absorbing) return
    this.#absorbing = true
    this.#inTurn(() => this.#absorbPiece())
      .catch((error: unknown) => {
        this.#stuck = true
        this.#warn('the database does not take over the commit log', { error: String(error) })
      })
      .finally(() => {
        this.#absorbing = false
        if (this.#enoughWaits && !this.#stuck) this.#absorbInBackground()
      })
  }

  async #absorbPiece(): Promise<void> {
    let count = 0
    let characters = 0
    let rows = 0
    for (const batch of this.#waiting) {
      count += 1
      characters += batch.characters
      rows += batch.rows.length / rowWidth
      if (rows >= rowsPerPiece || characters >= charactersPerPiece) break
    }
    if (count === 0) return
    await this.#commit(this.#waiting.slice(0, count).flatMap((batch) => batch.rows))
    this.#waiting.splice(0, count)
    this.#waitingRows -= rows
    this.#waitingCharacters -= characters
  }

  /** Everything that waits and these rows, in one commit of the database. */
  async #writeThrough(rows: Rows): Promise<void> {
    await this.#inTurn(async () => {
      await this.#commit([...this.#waiting.flatMap((batch) => batch.rows), ...rows])
      this.#waiting = []
      this.#waitingRows = 0
      this.#waitingCharacters = 0
      this.#stuck = false
    })
    this.#untilLog -= 1
    if (this.#untilLog === 0) this.#making = this.#makeLog()
  }

  async #makeLog(): Promise<void> {
    try {
      const logId = randomInt(2 ** 47)
      const log = await CommitLog.create(commitLogFile(this.#file), logId)
      if (log === undefined) return
      await this.#client.ask({ type: 'adopt-log', logId })
      this.#log = log
    } catch (error) {
      // Everything goes on without one, only slower.
      this.#warn('no commit log', { error: String(error) })
    }
  }

  /** The log took part of the rows at most. Without room, the database may still have some of its own; else the disk is not to be trusted. */
  async #withoutLog(rows: Rows, error: unknown): Promise<void> {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOSPC' && code !== 'EDQUOT') {
      const failure = new ClosedError(`the commit log cannot be written: ${String(error)}`, { cause: error })
      this.#client.fail(failure)
      throw failure
    }
    this.#stuck = true
    try {
      await this.#writeThrough(rows)
    } catch (refused) {
      throw refused instanceof DiskFullError ? refused : new DiskFullError(String(error), { cause: refused })
    }
  }

  async #commit(rows: Rows): Promise<void> {
    await this.#client.ask({ type: 'commit', rows })
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(action)
    this.#turn = mine.catch(() => undefined)
    return mine
  }
}
