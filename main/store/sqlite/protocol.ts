// What the main thread and the store's worker say to each other. Rows travel as flat arrays: cheap to clone.

/** [id, key, value | null (deleted), createRevision, version] repeated. */
export type Rows = (string | number | null)[]
export const rowWidth = 5

export type WorkerRequest =
  | { type: 'commit'; id: number; rows: Rows }
  /** From now on the log with this number may hold what the database lacks. */
  | { type: 'adopt-log'; id: number; logId: number }
  | { type: 'rangeAt'; id: number; prefix: string; startAfter?: string; limit?: number; atRevision: number }
  | { type: 'events'; id: number; prefix: string; fromRevision: number }
  | { type: 'compact'; id: number; revision: number }
  | { type: 'snapshot'; id: number; file: string }
  | { type: 'close'; id: number }

export interface RangeAtReply {
  rows: Rows
  remaining: number
}

export interface EventsReply {
  rows: Rows
  /** For each row: the row it replaced, or an id of 0. */
  previous: Rows
  /** Every event up to and including this revision is in `rows`. */
  through: number
}

/** full: nothing happened, try again when there is room. corrupt, busy: on opening only. fatal: the database is unusable from here on. */
export interface Failure {
  kind: 'full' | 'corrupt' | 'busy' | 'fatal'
  message: string
}

export type WorkerReply =
  | { type: 'entries'; rows: Rows }
  | { type: 'opened'; revision: number; compactRevision: number }
  | { type: 'open-failed'; failure: Failure }
  | { type: 'done'; id: number; value: unknown }
  | { type: 'failed'; id: number; failure: Failure }
  | { type: 'notice'; message: string; fields: Record<string, unknown> }

export interface WorkerData {
  file: string
  /** The database may not grow beyond this; undefined: as far as the disk allows. */
  maxSizeMiB: number | undefined
}

/** Row ids are revision × this + position within the transaction, so that id order is history order. */
export const idsPerRevision = 4096
export const revisionOfId = (id: number): number => Math.floor(id / idsPerRevision)
export const firstIdOf = (revision: number): number => revision * idsPerRevision
