// GET /containerLogs/{namespace}/{pod}/{container}
import { badRequest } from '../../../common/machinery/status.ts'
import type { ObservedContainer } from '../runtime/observed.ts'
import type { Handler } from './agent-server.ts'
import { drained } from './framed-stream.ts'
import { readLog } from './log-reader.ts'
import type { TargetFinder } from './target.ts'

export function containerLogs(targets: TargetFinder): Handler {
  return async ({ stream, segments, query }) => {
    const [namespace = '', pod = '', container = ''] = segments
    const instances = await targets.instances(namespace, pod, container)
    const previous = query.get('previous') === 'true'
    const chosen = previous ? previousInstance(instances) : instances[0]
    if (chosen === undefined)
      throw badRequest(
        previous
          ? `previous terminated container "${container}" in pod "${pod}" not found`
          : `container "${container}" in pod "${pod}" is waiting to start: ContainerCreating`,
      )
    const abort = new AbortController()
    stream.on('close', () => {
      abort.abort()
    })
    const follow = query.get('follow') === 'true'
    const lines = readLog(chosen.logPath, {
      tailLines: numberOf(query, 'tailLines'),
      timestamps: query.get('timestamps') === 'true',
      sinceMs: sinceOf(query),
      limitBytes: numberOf(query, 'limitBytes'),
      follow,
      isRunning: async () => {
        const now = await targets.instances(namespace, pod, container).catch(() => [])
        return now.find(({ id }) => id === chosen.id)?.state === 'running'
      },
      signal: abort.signal,
    })
    stream.respond({ ':status': 200, 'content-type': 'text/plain' })
    for await (const line of lines) {
      if (stream.destroyed) return
      if (!stream.write(line)) await drained(stream)
    }
    stream.end()
  }
}

/** The instance before the running one, or, while nothing runs, the one before the newest. */
function previousInstance(instances: readonly ObservedContainer[]): ObservedContainer | undefined {
  return instances[1]
}

function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) throw badRequest(`${name} must be a number that is not negative`)
  return value
}

function sinceOf(query: URLSearchParams): number | undefined {
  const seconds = numberOf(query, 'sinceSeconds')
  if (seconds !== undefined) return Date.now() - seconds * 1000
  const time = query.get('sinceTime')
  if (time === null || time === '') return undefined
  const at = Date.parse(time)
  if (Number.isNaN(at)) throw badRequest('sinceTime must be an RFC 3339 time')
  return at
}
