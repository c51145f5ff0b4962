// How many requests are at work at a time. Beyond that they wait in one queue per user, served in turn, so that nobody who asks a lot
// keeps the others out; who would wait too long is told to come again (429). Watches and streams last as long as their clients want
// and do not count; the system's own administrators are never kept waiting, so that somebody can always look.
import type { Clock } from '../../../common/machinery/clock.ts'
import { StatusError } from '../../../common/machinery/status.ts'
import type { UserInfo } from '../apiserver.ts'
import type { RequestInfo } from './request-info.ts'

/** Who waits longer than this would have given up anyway. */
const maxWaitMs = 15_000
/** Requests waiting per user: more are an overload, not a burst. */
const maxWaitingPerUser = 1000
const streams = new Set(['attach', 'exec', 'log', 'portforward', 'proxy'])

interface Waiting {
  readonly admit: () => void
}

export class RequestLimits {
  readonly #clock: Clock
  readonly #reads: Pool
  readonly #writes: Pool

  constructor(clock: Clock, limits: { readonly reads: number; readonly writes: number } = { reads: 400, writes: 200 }) {
    this.#clock = clock
    this.#reads = new Pool(limits.reads)
    this.#writes = new Pool(limits.writes)
  }

  /** Requests at work now, and those that wait. */
  get inflight(): { reads: number; writes: number; waiting: number } {
    return {
      reads: this.#reads.busy,
      writes: this.#writes.busy,
      waiting: this.#reads.waiting + this.#writes.waiting,
    }
  }

  /** What to call when the request is done; undefined for one that does not count. Rejects with 429. */
  enter(user: UserInfo, info: RequestInfo): (() => void) | undefined | Promise<() => void> {
    if (user.groups.includes('system:masters') || isLong(info)) return undefined
    const pool = isWrite(info) ? this.#writes : this.#reads
    if (pool.limit === 0) return undefined
    return pool.tryEnter() ? pool.leave : this.#wait(pool, user)
  }

  #wait(pool: Pool, user: UserInfo): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const refuse = (): void => {
        reject(tooManyRequests())
      }
      const cancel = this.#clock.after(maxWaitMs, () => {
        pool.forget(user.name, waiting)
        refuse()
      })
      const waiting: Waiting = {
        admit: () => {
          cancel()
          resolve(pool.leave)
        },
      }
      if (pool.queue(user.name, waiting)) return
      cancel()
      refuse()
    })
  }
}

const isLong = (info: RequestInfo): boolean =>
  info.verb === 'watch' || (info.isResource && streams.has(info.subresource))

const isWrite = ({ verb }: RequestInfo): boolean => !['get', 'list', 'head', 'options'].includes(verb)

const tooManyRequests = (): StatusError =>
  new StatusError({
    code: 429,
    reason: 'TooManyRequests',
    message: 'Too many requests, please try again later.',
    details: { retryAfterSeconds: 1 },
  })

class Pool {
  readonly limit: number
  busy = 0
  waiting = 0
  /** By user, in the order in which they are next: who was served goes to the end. */
  readonly #queues = new Map<string, Waiting[]>()

  constructor(limit: number) {
    this.limit = limit
  }

  tryEnter(): boolean {
    if (this.busy >= this.limit) return false
    this.busy += 1
    return true
  }

  queue(user: string, waiting: Waiting): boolean {
    const list = this.#queues.get(user) ?? []
    if (list.length >= maxWaitingPerUser) return false
    list.push(waiting)
    this.#queues.set(user, list)
    this.waiting += 1
    return true
  }

  forget(user: string, waiting: Waiting): void {
    const list = this.#queues.get(user) ?? []
    const index = list.indexOf(waiting)
    if (index < 0) return
    list.splice(index, 1)
    this.waiting -= 1
    if (list.length === 0) this.#queues.delete(user)
  }

  /** A place is free: it goes straight to who is next. */
  readonly leave = (): void => {
    const [next] = this.#queues
    if (next === undefined) {
      this.busy -= 1
      return
    }
    const [user, list] = next
    const waiting = list.shift()
    this.#queues.delete(user)
    if (list.length > 0) this.#queues.set(user, list)
    this.waiting -= 1
    waiting?.admit()
  }
}
