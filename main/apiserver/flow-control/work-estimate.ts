// How many seats a request takes: one, and for lists more the more objects they look at.
import type { RequestInfo } from '../chain/request-info.ts'
import { listPrefix } from '../registry/served-resource.ts'
import type { ResourceTable } from '../registry/resource-table.ts'
import type { Store } from '../../store/store.ts'

/** Upstream's: a seat is for a hundred objects, and nobody takes more than ten. */
const objectsPerSeat = 100
const mostSeats = 10
/** Of the seats of a level: a few large lists must not take them all. */
const mostOfLevel = 0.15

export type WorkEstimate = (info: RequestInfo, query: URLSearchParams, nominal: number) => number

export function newWorkEstimate(parts: { readonly store: Store; readonly resources: ResourceTable }): WorkEstimate {
  return (info, query, nominal) => {
    const { verb } = info
    if (!info.isResource || info.name !== '' || (verb !== 'list' && verb !== 'watch')) return 1
    if (verb === 'watch' && query.get('sendInitialEvents') !== 'true') return 1
    const resource = parts.resources.find(info.group, info.version, info.resource)
    if (resource === undefined) return 1
    const stored = parts.store.count(listPrefix(resource, info.namespace))
    const limit = Number(query.get('limit') ?? 0)
    const page = limit > 0 && limit < stored ? limit : stored
    const seats = Math.ceil(page / objectsPerSeat)
    return Math.max(1, Math.min(seats, mostSeats, Math.ceil(nominal * mostOfLevel)))
  }
}
