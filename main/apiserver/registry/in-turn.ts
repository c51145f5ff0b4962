// Writes of a kind whose defaults depend on its other objects (cluster IPs, node ports) go one after the other: two at once could
// both find the same address free.
import type { ServedResource } from './served-resource.ts'

const last = new WeakMap<ServedResource, Promise<unknown>>()

/** Runs `work` after all earlier writes of this resource when its kind asks for that, else at once. */
export function inTurn<T>(resource: ServedResource, work: () => Promise<T>): Promise<T> {
  if (!resource.kind.serializeWrites) return work()
  const turn = (last.get(resource) ?? Promise.resolve()).then(work, work)
  last.set(resource, turn)
  return turn
}
