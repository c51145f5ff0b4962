// The one road from any part of Orrery to the Kubernetes API. Implementations: fetch (window), node http2 (command, node agent),
// in-process (controllers in the engine). Everything above (typed client, informers, controllers) is the same code everywhere.
import type { KubeObject, WatchEvent } from '../machinery/meta.ts'

export type PatchType =
  | 'application/json-patch+json'
  | 'application/merge-patch+json'
  | 'application/strategic-merge-patch+json'
  | 'application/apply-patch+yaml'

export interface ApiRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Absolute API path: "/api/v1/namespaces/default/pods/web". */
  path: string
  query?: Readonly<Record<string, string | number | boolean | undefined>>
  body?: unknown
  /** PATCH only. */
  patchType?: PatchType
  /** Default: "application/json". Table and PartialObjectMetadata accept strings as kubectl sends them. */
  accept?: string
  signal?: AbortSignal
  /** Watch only: called once when the server has accepted the watch, before any event. */
  onOpen?: () => void
}

/** Every method rejects with StatusError for an API failure and with ConnectionError when the API could not be reached. */
export interface Transport {
  request<T>(request: ApiRequest): Promise<T>
  /** The server's event stream, ending when the server closes it. An ERROR event rejects with its StatusError (410: relist). */
  watch<T extends KubeObject>(request: ApiRequest): AsyncIterable<WatchEvent<T>>
}

export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
}
