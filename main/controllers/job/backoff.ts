// Pure: how long a job waits before it replaces pods that fail in a row.
import type { Pod } from '../../../common/api/generated/types.ts'
import { finishedAtMs } from './facts.ts'

export interface BackoffRecord {
  failuresInRow: number
  lastFailureMs: number
}
export const noBackoff: BackoffRecord = { failuresInRow: 0, lastFailureMs: 0 }

const initialMs = 10_000
const maxMs = 600_000

/** 10 s after the first failure in a row, doubling, at most 10 minutes. */
export function backoffMs(failuresInRow: number): number {
  return failuresInRow === 0 ? 0 : Math.min(maxMs, initialMs * 2 ** Math.min(failuresInRow - 1, 30))
}

/** Milliseconds still to wait; 0 when there is nothing to wait for. */
export function remainingMs({ failuresInRow, lastFailureMs }: BackoffRecord, nowMs: number): number {
  return failuresInRow === 0 ? 0 : Math.max(0, lastFailureMs + backoffMs(failuresInRow) - nowMs)
}

/** The record after these pods ended: failures before the last success are forgotten. */
export function nextRecord(known: BackoffRecord, succeeded: readonly Pod[], failed: readonly Pod[]): BackoffRecord {
  const failures = failed.map(finishedAtMs)
  const lastSuccess = Math.max(-Infinity, ...succeeded.map(finishedAtMs))
  const later = failures.filter((at) => at > lastSuccess)
  const lastFailureMs = Math.max(succeeded.length > 0 ? 0 : known.lastFailureMs, ...later)
  return { failuresInRow: (succeeded.length > 0 ? 0 : known.failuresInRow) + later.length, lastFailureMs }
}
