// All connect subresources: the pods' streams, proxies, and those the engine brings along.
import type { ApiServerOptions } from '../apiserver.ts'
import type { Connect } from './connect-table.ts'

export function connectEntries(_options: ApiServerOptions): (readonly [string, Connect])[] {
  return []
}
