// Container logs as a stream of lines.
import { decodeFailure } from '../../common/client/wire.ts'
import { noteAnswer } from './connection.ts'

export interface LogRequest {
  namespace: string
  pod: string
  container: string
  follow?: boolean
  previous?: boolean
  /** Lines from the end; all when absent. */
  tailLines?: number
  sinceTime?: string
  signal: AbortSignal
}

/** Batches of complete lines, each starting with its RFC 3339 timestamp and a space. Rejects with StatusError as the API answered. */
export async function* streamLog(request: LogRequest): AsyncGenerator<string[]> {
  const query = new URLSearchParams({ container: request.container, timestamps: 'true' })
  if (request.follow === true) query.set('follow', 'true')
  if (request.previous === true) query.set('previous', 'true')
  if (request.tailLines !== undefined) query.set('tailLines', String(request.tailLines))
  if (request.sinceTime !== undefined) query.set('sinceTime', request.sinceTime)
  const path = `api/v1/namespaces/${encodeURIComponent(request.namespace)}/pods/${encodeURIComponent(request.pod)}/log?${query.toString()}`
  let response: Response
  try {
    response = await fetch(path, { signal: request.signal, cache: 'no-store' })
  } catch (error) {
    if (!request.signal.aborted) noteAnswer(0)
    throw error
  }
  if (!response.ok) throw decodeFailure(response.status, await response.text())
  if (response.body === null) return
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    const pieces = (rest + value).split('\n')
    rest = pieces.pop() ?? ''
    if (pieces.length > 0) yield pieces
  }
  if (rest !== '') yield [rest]
}
