// What a process that died had acknowledged, but not yet moved into the database.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { logIdOf, recordsOf } from './log-records.ts'
import type { Rows } from './protocol.ts'
import { firstIdOf, revisionOfId, rowWidth } from './protocol.ts'

/**
 * Commits the rows of the log that the database lacks, then removes the log. `id`: the log that the database knows as its own; any
 * other is left alone, as is one that begins later than the database ends (then the database was damaged: its state is an earlier one).
 * Returns how many batches were taken over. Throws what `commit` throws.
 */
export function recoverCommitLog(options: {
  file: string
  id: number | undefined
  revision: number
  commit: (rows: Rows) => void
}): number {
  const { file, id, revision, commit } = options
  if (id === undefined || !existsSync(file)) return 0
  const bytes = readFileSync(file)
  if (logIdOf(bytes) !== id) return 0
  let count = 0
  let missing: Rows = []
  for (const rows of recordsOf(bytes)) {
    if (revisionOfId(rows[rows.length - rowWidth] as number) <= revision) continue
    if (count === 0 && rows[0] !== firstIdOf(revision + 1)) break
    count += 1
    missing = missing.concat(rows)
  }
  if (count > 0) commit(missing)
  rmSync(file)
  return count
}
