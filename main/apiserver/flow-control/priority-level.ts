// One priority level at work: its seats, and the queues of those that wait for one. Who waits is served fairly: of several flows that
// all want more than there is, each gets the same number of seats, however much each of them asks for (start-time fair queuing).
import type { PriorityLevelConfigurationSpec } from '../../../common/api/generated/types.ts'
import type { FlowCounters, Rejection } from './counters.ts'
import { dealHand } from './dealer.ts'
import type { SeatLimits } from './seats.ts'

export interface Waiting {
  readonly counters: FlowCounters
  readonly seats: number
  /** Names the flow: its schema, and what tells flows of one schema apart. */
  readonly flow: string
  readonly since: number
  /** A seat is theirs. */
  readonly admit: () => void
}

interface Queued {
  readonly waiting: Waiting
  readonly queue: Queue
  /** When its turn is, in seats served so far. */
  readonly start: number
}

interface Queue {
  readonly index: number
  readonly requests: Queued[]
  seats: number
  /** Virtual time at which all that ever waited here will have been served. */
  finish: number
}

export class PriorityLevel {
  readonly name: string
  /** The object that configures it; for the answers' headers. */
  uid = ''
  spec: PriorityLevelConfigurationSpec = { type: 'Exempt' }
  limits: SeatLimits = { nominal: 0, lower: 0, upper: 0 }
  /** Seats it has now. */
  current = 0
  /** Of the last adjustment. */
  smoothed = 0
  target = 0
  executing = 0
  /** Of these, those that have been answered. */
  leaving = 0
  busySeats = 0
  waitingSeats = 0
  /** Most seats wanted at a time since the last adjustment. */
  highest = 0
  readonly #queues = new Map<number, Queue>()
  readonly #queued = new Map<Waiting, Queued>()
  #virtualTime = 0

  constructor(name: string) {
    this.name = name
  }

  get waiting(): number {
    return this.#queued.size
  }

  get isExempt(): boolean {
    return this.spec.type === 'Exempt'
  }

  get queuing(): { queues: number; handSize: number; queueLengthLimit: number } | undefined {
    const { limitResponse } = this.spec.limited ?? {}
    if (limitResponse?.type !== 'Queue') return undefined
    const { queues = 64, handSize = 8, queueLengthLimit = 50 } = limitResponse.queuing ?? {}
    return { queues, handSize, queueLengthLimit }
  }

  /** Takes seats if they are free and nobody has waited longer. */
  tryEnter(counters: FlowCounters, seats: number): boolean {
    if (!this.isExempt && (this.#queued.size > 0 || !this.#fits(seats))) return false
    this.#take(counters, seats)
    return true
  }

  /** Why not, when there is no room to wait. */
  wait(waiting: Waiting): Rejection | undefined {
    const { queuing } = this
    if (queuing === undefined) return 'concurrency-limit'
    const queue = this.#shortestOf(dealHand(waiting.flow, queuing.queues, queuing.handSize))
    // Whoever was answered may ask again before the seat is free.
    if (queue.requests.length >= queuing.queueLengthLimit + this.leaving) return 'queue-full'
    const start = Math.max(this.#virtualTime, queue.finish)
    queue.finish = start + waiting.seats
    const queued = { waiting, queue, start }
    queue.requests.push(queued)
    queue.seats += waiting.seats
    this.#queued.set(waiting, queued)
    this.waitingSeats += waiting.seats
    this.highest = Math.max(this.highest, this.busySeats + this.waitingSeats)
    const { counters } = waiting
    counters.waiting += 1
    counters.waitingSeats += waiting.seats
    counters.queueLength.observe(queue.requests.length)
    // One with room for it would have let it in: unless it had to stand behind others.
    this.dispatch()
    return undefined
  }

  /** It waits no longer. False when it did not wait. */
  forget(waiting: Waiting): boolean {
    const queued = this.#queued.get(waiting)
    if (queued === undefined) return false
    this.#remove(queued)
    return true
  }

  leave(counters: FlowCounters, seats: number): void {
    this.executing -= 1
    this.busySeats -= seats
    counters.executing -= 1
    counters.executingSeats -= seats
    if (this.#queued.size > 0) this.dispatch()
  }

  /** Lets in who is next for as long as there are seats. */
  dispatch(): void {
    while (this.#queued.size > 0) {
      const next = this.#next()
      if (next === undefined) return
      const { waiting, start } = next
      if (!this.isExempt && !this.#fits(waiting.seats)) {
        waiting.counters.notAccommodated += 1
        return
      }
      this.#virtualTime = start
      this.#remove(next)
      this.#take(waiting.counters, waiting.seats)
      waiting.admit()
    }
  }

  /** The queues that are not empty, for those who look. */
  *queues(): Generator<{ index: number; seats: number; requests: readonly Waiting[] }> {
    for (const { index, seats, requests } of this.#queues.values())
      if (requests.length > 0) yield { index, seats, requests: requests.map(({ waiting }) => waiting) }
  }

  /** One that wants more seats than there are gets them all, alone. */
  #fits(seats: number): boolean {
    return this.busySeats + seats <= this.current || this.busySeats === 0
  }

  #take(counters: FlowCounters, seats: number): void {
    this.executing += 1
    this.busySeats += seats
    const wanted = this.busySeats + this.waitingSeats
    if (wanted > this.highest) this.highest = wanted
    counters.executing += 1
    counters.executingSeats += seats
    counters.dispatched += 1
  }

  #next(): Queued | undefined {
    let next: Queued | undefined
    for (const { requests } of this.#queues.values()) {
      const [first] = requests
      if (first !== undefined && (next === undefined || first.start < next.start)) next = first
    }
    return next
  }

  #shortestOf(hand: readonly number[]): Queue {
    let shortest: Queue | undefined
    for (const index of hand) {
      const queue = this.#queues.get(index)
      if (queue === undefined) {
        const fresh: Queue = { index, requests: [], seats: 0, finish: 0 }
        this.#queues.set(index, fresh)
        return fresh
      }
      if (shortest === undefined || queue.seats < shortest.seats) shortest = queue
    }
    return shortest as Queue
  }

  #remove(queued: Queued): void {
    const { waiting, queue } = queued
    const { requests } = queue
    requests.splice(requests.indexOf(queued), 1)
    queue.seats -= waiting.seats
    this.#queued.delete(waiting)
    this.waitingSeats -= waiting.seats
    waiting.counters.waiting -= 1
    waiting.counters.waitingSeats -= waiting.seats
    if (this.#queued.size > 0) return
    // Nobody waits: nobody has been served more than others.
    this.#queues.clear()
    this.#virtualTime = 0
  }
}
