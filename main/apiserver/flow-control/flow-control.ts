// API priority and fairness: FlowSchemas say which priority level a request belongs to, the level's seats how many are at work at a time.
// While there are seats this costs a request a look at what is known of its user and a few counters; the rest is for when there are none.
import type { FlowSchemaSpec, PolicyRulesWithSubjects } from '../../../common/api/generated/types.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Store } from '../../store/store.ts'
import type { UserInfo } from '../auth/user-info.ts'
import type { RequestInfo } from '../chain/request-info.ts'
import { flowControlPrefix, readFlowConfiguration } from './configuration.ts'
import { FlowCounters, type Rejection } from './counters.ts'
import { flowGauges } from './flow-gauges.ts'
import { type Gate, type GateRequest, isStream, isWrite, type Place, TooManyRequests } from './gate.ts'
import { rulesMatch, rulesMatchEverything, subjectMatches } from './matching.ts'
import { PriorityLevel, type Waiting } from './priority-level.ts'
import { allocate, limitsOf, targetOf } from './seats.ts'
import type { WorkEstimate } from './work-estimate.ts'

/** Who waits longer than this would have given up anyway. */
const maxWaitMs = 15_000
/** How often busy levels borrow from idle ones. */
const adjustmentMs = 10_000
/** What is left of an old demand after one adjustment (upstream's: half of it after five minutes). */
const smoothing = 0.977

/** One flow schema in force. */
interface Flow {
  readonly name: string
  readonly spec: FlowSchemaSpec
  readonly level: PriorityLevel
  readonly counters: FlowCounters
  readonly schemaUid: string
}

/** A flow that may be a certain user's, with the rules that speak of this user. */
interface Candidate {
  readonly flow: Flow
  readonly rules: readonly PolicyRulesWithSubjects[]
  readonly everything: boolean
}

export interface FlowControlOptions {
  readonly store: Store
  readonly clock: Clock
  /** Requests at work at a time, reads and writes together. */
  readonly seats: number
  readonly estimate: WorkEstimate
}

export class FlowControl implements Gate {
  readonly #options: FlowControlOptions
  /** Those in force, and those that are no more but have requests at work. */
  readonly #levels = new Map<string, PriorityLevel>()
  readonly #counters = new Map<string, FlowCounters>()
  #flows: readonly Flow[] | undefined
  #candidates = new WeakMap<UserInfo, readonly Candidate[]>()
  /** Their seats are free at the end of this turn. */
  readonly #leaving: Seat[] = []
  #cancelAdjustment: (() => void) | undefined
  #closed = false
  #fairFraction = 1
  readonly inFlight = { reads: 0, writes: 0 }

  constructor(options: FlowControlOptions) {
    this.#options = options
    options.store.watch({
      prefix: flowControlPrefix,
      fromRevision: options.store.revision + 1,
      onEvents: () => {
        this.#flows = undefined
      },
    })
  }

  enter(request: GateRequest): Place | undefined | Promise<Place> {
    const { user, info, query, headers } = request
    if (isStream(info)) return undefined
    const flow = this.#classify(user, info)
    const { level, counters } = flow
    headers['x-kubernetes-pf-flowschema-uid'] = flow.schemaUid
    headers['x-kubernetes-pf-prioritylevel-uid'] = level.uid
    const seats = level.isExempt ? 1 : this.#options.estimate(info, query, level.limits.nominal)
    counters.seats.observe(seats)
    if (!level.tryEnter(counters, seats)) return this.#wait(request, flow, seats)
    counters.waited.observe(0)
    return new Seat(this, flow, info, seats)
  }

  /**
   * Most requests are answered within the turn of the event loop in which they came, one after the other: they would never meet, and
   * who sends most would get most. So a seat is taken for the rest of its turn, and a level answers as many in a turn as it has seats.
   */
  freeSoon(seat: Seat): void {
    seat.level.leaving += 1
    if (this.#leaving.push(seat) > 1) return
    setImmediate(() => {
      for (const each of this.#leaving.splice(0)) {
        each.level.leaving -= 1
        each.free()
      }
    })
  }

  get levels(): readonly PriorityLevel[] {
    this.#inForce()
    return [...this.#levels.values()]
  }

  get counters(): readonly FlowCounters[] {
    return [...this.#counters.values()]
  }

  get fairFraction(): number {
    return this.#fairFraction
  }

  readonly gauges = flowGauges(this)

  close(): void {
    this.#closed = true
    this.#cancelAdjustment?.()
  }

  #classify(user: UserInfo, info: RequestInfo): Flow {
    const flows = this.#inForce()
    let candidates = this.#candidates.get(user)
    if (candidates === undefined) {
      candidates = candidatesFor(user, flows)
      this.#candidates.set(user, candidates)
    }
    for (const candidate of candidates)
      if (candidate.everything || rulesMatch(candidate.rules, info)) return candidate.flow
    // Neither authenticated nor unauthenticated: there is no such user, but nobody may be without a flow.
    return flows.find(({ name }) => name === 'catch-all') as Flow
  }

  #inForce(): readonly Flow[] {
    return (this.#flows ??= this.#configure())
  }

  #configure(): readonly Flow[] {
    const { levels, schemas } = readFlowConfiguration(this.#options.store)
    const limits = limitsOf(new Map([...levels].map(([name, { spec }]) => [name, spec])), this.#options.seats)
    for (const [name, { spec, uid }] of levels) {
      const level = this.#levels.get(name) ?? new PriorityLevel(name)
      this.#levels.set(name, level)
      level.spec = spec
      level.uid = uid
      level.limits = limits.get(name) ?? level.limits
      level.current = level.limits.nominal
    }
    for (const [name, level] of this.#levels)
      if (!levels.has(name) && level.executing === 0 && level.waiting === 0) this.#levels.delete(name)
    this.#candidates = new WeakMap()
    const flows = schemas.map(({ name, spec, uid }): Flow => {
      const levelName = spec.priorityLevelConfiguration.name
      const key = `${levelName}/${name}`
      const counters = this.#counters.get(key) ?? new FlowCounters(levelName, name)
      this.#counters.set(key, counters)
      return { name, spec, schemaUid: uid, level: this.#levels.get(levelName) as PriorityLevel, counters }
    })
    for (const level of this.#levels.values()) level.dispatch()
    return flows
  }

  #wait({ user, info, res }: GateRequest, flow: Flow, seats: number): Promise<Place> {
    const { clock } = this.#options
    const { level, counters } = flow
    this.#adjustSoon()
    return new Promise((resolve, reject) => {
      const since = performance.now()
      const refuse = (reason: Rejection): void => {
        counters.rejected.set(reason, (counters.rejected.get(reason) ?? 0) + 1)
        reject(new TooManyRequests())
      }
      const give = (reason: Rejection): void => {
        if (!level.forget(waiting)) return
        end()
        counters.waitedInVain.observe((performance.now() - since) / 1000)
        refuse(reason)
      }
      const cancelled = (): void => {
        give('cancelled')
      }
      const end = (): void => {
        cancel()
        res.off('close', cancelled)
      }
      const waiting: Waiting = {
        counters,
        seats,
        flow: `${flow.name}/${distinguish(flow.spec, user, info)}`,
        since,
        admit: () => {
          end()
          counters.waited.observe((performance.now() - since) / 1000)
          resolve(new Seat(this, flow, info, seats))
        },
      }
      const cancel = clock.after(maxWaitMs, () => {
        give('time-out')
      })
      res.on('close', cancelled)
      const rejection = level.wait(waiting)
      if (rejection === undefined) return
      end()
      refuse(rejection)
    })
  }

  /** Only while somebody lacks seats, and until what was borrowed is given back. */
  #adjustSoon(): void {
    if (this.#closed) return
    this.#cancelAdjustment ??= this.#options.clock.after(adjustmentMs, () => {
      this.#cancelAdjustment = undefined
      this.#adjust()
    })
  }

  #adjust(): void {
    const limited = this.levels.filter((level) => !level.isExempt)
    for (const level of limited)
      level.smoothed = Math.max(level.highest, smoothing * level.smoothed + (1 - smoothing) * level.highest)
    const { seats, fraction } = allocate(limited, this.#options.seats)
    const wanting = limited.some((level) => level.highest > level.limits.nominal)
    this.#fairFraction = fraction
    for (const [index, level] of limited.entries()) {
      level.target = targetOf(level)
      level.current = wanting ? (seats[index] ?? level.limits.nominal) : level.limits.nominal
      level.highest = level.busySeats + level.waitingSeats
    }
    for (const level of limited) level.dispatch()
    if (wanting) this.#adjustSoon()
  }
}

class Seat implements Place {
  readonly #control: FlowControl
  readonly #flow: Flow
  readonly #info: RequestInfo
  readonly #seats: number
  readonly #since = performance.now()

  constructor(control: FlowControl, flow: Flow, info: RequestInfo, seats: number) {
    this.#control = control
    this.#flow = flow
    this.#info = info
    this.#seats = seats
    control.inFlight[isWrite(info) ? 'writes' : 'reads'] += 1
  }

  get level(): PriorityLevel {
    return this.#flow.level
  }

  leave(): void {
    if (this.#flow.level.isExempt) this.free()
    else this.#control.freeSoon(this)
  }

  free(): void {
    const { level, counters } = this.#flow
    const histogram = this.#info.verb === 'watch' ? counters.watches : counters.regular
    histogram.observe((performance.now() - this.#since) / 1000)
    this.#control.inFlight[isWrite(this.#info) ? 'writes' : 'reads'] -= 1
    level.leave(counters, this.#seats)
  }
}

function candidatesFor(user: UserInfo, flows: readonly Flow[]): Candidate[] {
  const candidates: Candidate[] = []
  for (const flow of flows) {
    const rules = (flow.spec.rules ?? []).filter(({ subjects }) =>
      subjects.some((subject) => subjectMatches(subject, user)),
    )
    if (rules.length === 0) continue
    const everything = rulesMatchEverything(rules)
    candidates.push({ flow, rules, everything })
    if (everything) break
  }
  return candidates
}

/** What tells the flows of a schema apart; nothing: they are one. */
function distinguish({ distinguisherMethod }: FlowSchemaSpec, user: UserInfo, info: RequestInfo): string {
  switch (distinguisherMethod?.type) {
    case 'ByUser':
      return user.name
    case 'ByNamespace':
      return info.isResource ? info.namespace : ''
    default:
      return ''
  }
}
