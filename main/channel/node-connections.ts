// The engine's live connections to node agents, as the API server (log, exec, stats, …) and the lab controllers use them.
import type { Duplex } from 'node:stream'

export interface NodeRequest {
  method: 'GET' | 'POST'
  /** One of agentPaths plus encoded segments: "/exec/default/web-1/main". */
  path: string
  /** Repeated keys are arrays. */
  query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>
  signal?: AbortSignal
}

export interface NodeResponse {
  status: number
  headers: Readonly<Record<string, string | string[] | undefined>>
  /** Body of the response; for POST streams also the request body (writable until end()). Destroying it resets the stream. */
  stream: Duplex
}

export interface NodeConnections {
  /** Resolves when response headers are there. Rejects with StatusError 503 (reason ServiceUnavailable, message says why: machine stopped, agent not connected yet …). */
  request(node: string, request: NodeRequest): Promise<NodeResponse>
  isConnected(node: string): boolean
}
