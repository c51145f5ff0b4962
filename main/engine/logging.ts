// Structured logs over pino: JSON lines to the home's log file, and to stderr when the engine runs in the foreground.
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { destination, multistream, pino, stdTimeFunctions, type Logger as Pino, type StreamEntry } from 'pino'
import type { Logger } from '../../common/machinery/logger.ts'

/** Field names whose values never reach a log. */
const secretFields = ['token', 'key', 'privatePem', 'authorization', 'password', 'secret', 'cookie']

/** Lines kept in memory while they cannot be written. */
const maxWaitingBytes = 256 << 10

function wrap(base: Pino): Logger {
  return {
    debug: (message, fields = {}) => {
      base.debug(fields, message)
    },
    info: (message, fields = {}) => {
      base.info(fields, message)
    },
    warn: (message, fields = {}) => {
      base.warn(fields, message)
    },
    error: (message, fields = {}) => {
      base.error(fields, message)
    },
    child: (fields) => wrap(base.child(fields)),
  }
}

export interface LoggingOptions {
  file?: string
  stderr: boolean
  level: 'debug' | 'info' | 'warn' | 'error'
}

export function createLogger(options: LoggingOptions): Logger {
  const streams: StreamEntry[] = []
  if (options.file !== undefined) {
    mkdirSync(dirname(options.file), { recursive: true })
    const stream = destination({ dest: options.file, sync: true, maxLength: maxWaitingBytes })
    // A log that cannot be written (a full disk) must not end the engine; lines are lost until there is room again.
    stream.on('error', () => undefined)
    streams.push({ level: options.level, stream })
  }
  if (options.stderr) streams.push({ level: options.level, stream: destination({ dest: 2, sync: true }) })
  const base = pino(
    {
      level: options.level,
      timestamp: stdTimeFunctions.isoTime,
      base: null,
      redact: { paths: [...secretFields, ...secretFields.map((field) => `*.${field}`)], censor: '***' },
      serializers: { error: pino.stdSerializers.err },
    },
    multistream(streams),
  )
  return wrap(base)
}
