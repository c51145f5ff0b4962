// The message a container left behind: its termination message file, or for failed containers (when asked for) the end of its log.
import { open, readFile } from 'node:fs/promises'
import { parseLogLine } from '../server/log-format.ts'

const maxMessageBytes = 4096
const maxFallbackBytes = 2048
const maxFallbackLines = 80

export async function terminationMessage(options: {
  file: string
  policy: string
  failed: boolean
  logPath: string
  runtimeMessage: string
  /** Puts a runtime's failure into plain words. */
  explain: (failure: string) => string
}): Promise<string> {
  if (options.failed && options.logPath !== '') {
    // crun reports a program it cannot execute only in the container's log, as a line of its own.
    const end = await logTail(options.logPath)
    if (/"exec container process .*[Ee]xec format error"/.test(end)) return options.explain('exec format error')
  }
  const own = options.file === '' ? '' : await head(options.file)
  if (own !== '') return own
  if (options.policy === 'FallbackToLogsOnError' && options.failed && options.logPath !== '') {
    const fallback = await logTail(options.logPath)
    if (fallback !== '') return fallback
  }
  return options.runtimeMessage
}

async function head(path: string): Promise<string> {
  const file = await open(path).catch(() => undefined)
  if (file === undefined) return ''
  try {
    const buffer = Buffer.alloc(maxMessageBytes)
    const { bytesRead } = await file.read(buffer, 0, maxMessageBytes, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}

async function logTail(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const lines = text
    .slice(-4 * maxFallbackBytes)
    .split('\n')
    .slice(-maxFallbackLines - 1)
  const content = lines.map((line) => parseLogLine(Buffer.from(line))?.content.toString('utf8') ?? '').join('')
  return content.slice(-maxFallbackBytes)
}
