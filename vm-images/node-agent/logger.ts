// One JSON object a line on standard output (the guest's console and journal); a full logging library is not worth its memory here.
import type { Logger } from '../../common/machinery/logger.ts'

const levels = { debug: 20, info: 30, warn: 40, error: 50 } as const

export function createLogger(minimum: keyof typeof levels, fields: Record<string, unknown> = {}): Logger {
  const write =
    (level: keyof typeof levels) =>
    (message: string, more: Record<string, unknown> = {}): void => {
      if (levels[level] < levels[minimum]) return
      process.stdout.write(
        `${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields, ...more })}\n`,
      )
    }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (more) => createLogger(minimum, { ...fields, ...more }),
  }
}

/** The text of anything thrown, with the causes that explain it. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error && !error.message.includes(error.cause.message)
    ? `${error.message}: ${describeError(error.cause)}`
    : error.message
}
