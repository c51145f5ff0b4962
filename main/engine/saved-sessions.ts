// The window's sessions over an engine restart: digests and expiry times, nothing that signs in by itself.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../common/machinery/logger.ts'
import { writeFileAtomic } from './atomic-file.ts'

export function savedSessions(
  home: string,
  logger: Logger,
): { saved: Record<string, number>; save: (sessions: Record<string, number>) => void } {
  const file = join(home, 'sessions.json')
  let saved: Record<string, number> = {}
  try {
    saved = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      logger.warn('saved window sessions cannot be read; sign in again', { error })
  }
  return {
    saved,
    save(sessions) {
      writeFileAtomic(file, JSON.stringify(sessions), { mode: 0o600 }).catch((error: unknown) => {
        logger.warn('window sessions could not be saved', { error })
      })
    },
  }
}
