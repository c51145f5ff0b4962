// Pods that wait for a node. Active: to be tried now, by priority, then age. Backing off: tried lately, again when its time is up, or
// before when there is nothing else to do. Failed: as backing off, but for an error, which is not hurried.
// Unschedulable: no node is possible; tried again when the cluster changes in a way that the rejecting plugins say may help, or the pod
// itself changes. There is no periodic retry, but for one safety net after a long time.
import type { Clock } from '../../../common/machinery/clock.ts'
import type { BackoffLimits } from '../configuration/profile.ts'
import type { ClusterChange, FilterPlugin } from '../framework/plugin.ts'
import type { PodFacts } from '../state/pod-facts.ts'
import { Heap } from './heap.ts'

export interface QueuedPod {
  facts: PodFacts
  /** Tries so far. */
  attempts: number
  readonly addedAt: number
}

type Place = 'active' | 'backoff' | 'failed' | 'unschedulable' | 'in-flight'

interface Entry extends QueuedPod {
  place: Place
  readonly order: number
  backoffUntil: number
  rejectedBy: readonly string[]
  cancel?: () => void
}

/** When more pods than this back off, back-off is what keeps them from taking all the time there is. */
const maxHurried = 100
/** A pod that nothing woke for this long is tried anyway. */
const forgottenMs = 300_000

export class SchedulingQueue {
  readonly #clock: Clock
  readonly #backoff: BackoffLimits
  readonly #plugins: ReadonlyMap<string, FilterPlugin>
  /** Those that may keep a pod from being tried at all. */
  readonly #gates: readonly FilterPlugin[]
  readonly #entries = new Map<string, Entry>()
  readonly #active = new Heap<Entry>(isBefore)
  readonly #backingOff = new Set<Entry>()
  /** UIDs of unschedulable pods by the plugin that rejected them. */
  readonly #rejectedBy = new Map<string, Set<string>>()
  #order = 0
  #activeCount = 0
  #wake: (() => void) | undefined
  #stopped = false

  constructor(clock: Clock, plugins: readonly FilterPlugin[], backoff: BackoffLimits) {
    this.#clock = clock
    this.#backoff = backoff
    this.#plugins = new Map(plugins.map((plugin) => [plugin.name, plugin]))
    this.#gates = plugins.filter((plugin) => 'isWaiting' in plugin)
  }

  /** Pods that `take` would give now. */
  get active(): number {
    return this.#activeCount + (this.#backingOff.size > maxHurried ? 0 : this.#backingOff.size)
  }

  get size(): number {
    return this.#entries.size
  }

  /** Pods by where they wait. */
  places(): Record<Place, number> {
    const places: Record<Place, number> = { active: 0, backoff: 0, unschedulable: 0, failed: 0, 'in-flight': 0 }
    for (const { place } of this.#entries.values()) places[place] += 1
    return places
  }

  has(uid: string): boolean {
    return this.#entries.has(uid)
  }

  /** A new pod, or a new state of a waiting one. `changed`: the change may matter for where it can go. */
  put(facts: PodFacts, changed = true): void {
    const known = this.#entries.get(facts.uid)
    if (known === undefined) {
      const entry: Entry = {
        facts,
        attempts: 0,
        addedAt: this.#clock.now(),
        place: 'active',
        order: ++this.#order,
        backoffUntil: 0,
        rejectedBy: [],
      }
      this.#entries.set(facts.uid, entry)
      this.#activate(entry)
      return
    }
    known.facts = facts
    if (changed && known.place === 'unschedulable') this.#revive(known)
  }

  remove(uid: string): void {
    const entry = this.#entries.get(uid)
    if (entry === undefined) return
    this.#leave(entry)
    this.#entries.delete(uid)
  }

  /** The next pod to try; it stays known until `remove`, `unschedulable` or `retry`. */
  take(): QueuedPod | undefined {
    for (let entry = this.#active.pop(); entry !== undefined; entry = this.#active.pop()) {
      // The heap keeps entries that have left the active place meanwhile.
      if (entry.place === 'active' && this.#entries.get(entry.facts.uid) === entry) return this.#start(entry)
    }
    if (this.#backingOff.size === 0 || this.#backingOff.size > maxHurried) return undefined
    return this.#start([...this.#backingOff].reduce((first, next) => (isBefore(next, first) ? next : first)))
  }

  #start(entry: Entry): Entry {
    this.#leave(entry)
    entry.attempts++
    return entry
  }

  /** Resolves when there may be something to take, or the queue was stopped. */
  waitForWork(): Promise<void> {
    if (this.active > 0 || this.#stopped) return Promise.resolve()
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  /** No node is possible now. */
  unschedulable(uid: string, rejectedBy: readonly string[]): void {
    const entry = this.#entries.get(uid)
    if (entry === undefined) return
    this.#leave(entry)
    entry.backoffUntil = this.#clock.now() + backoffMs(entry.attempts, this.#backoff)
    this.#park(entry, rejectedBy)
  }

  #park(entry: Entry, rejectedBy: readonly string[]): void {
    const { uid } = entry.facts
    entry.place = 'unschedulable'
    entry.rejectedBy = rejectedBy
    for (const plugin of rejectedBy) {
      const pods = this.#rejectedBy.get(plugin)
      if (pods === undefined) this.#rejectedBy.set(plugin, new Set([uid]))
      else pods.add(uid)
    }
    entry.cancel = this.#clock.after(forgottenMs, () => {
      this.#revive(entry)
    })
  }

  /** Failed for another reason (the API, a race): again after its back-off. */
  retry(uid: string): void {
    const entry = this.#entries.get(uid)
    if (entry === undefined) return
    this.#leave(entry)
    this.#backOff(entry, 'failed', this.#clock.now() + backoffMs(entry.attempts, this.#backoff))
  }

  /** Moves every unschedulable pod that the change may help. */
  onChange(change: ClusterChange): void {
    if (this.#rejectedBy.size === 0 && change.type !== 'node-added') return
    const helped = new Set<Entry>()
    for (const [name, uids] of this.#rejectedBy) {
      const plugin = this.#plugins.get(name)
      for (const uid of uids) {
        const entry = this.#entries.get(uid)
        if (entry !== undefined && plugin?.mayHelp(change, entry.facts) === true) helped.add(entry)
      }
    }
    // Pods that found no node at all were rejected by nobody.
    if (change.type === 'node-added')
      for (const entry of this.#entries.values())
        if (entry.place === 'unschedulable' && entry.rejectedBy.length === 0) helped.add(entry)
    for (const entry of helped) this.#revive(entry)
  }

  stop(): void {
    this.#stopped = true
    for (const entry of this.#entries.values()) entry.cancel?.()
    this.#entries.clear()
    this.#wake?.()
  }

  #revive(entry: Entry): void {
    this.#leave(entry)
    if (entry.backoffUntil > this.#clock.now()) this.#backOff(entry, 'backoff', entry.backoffUntil)
    else this.#activate(entry)
  }

  #activate(entry: Entry): void {
    const gate = this.#gates.find((plugin) => plugin.isWaiting?.(entry.facts) === true)
    if (gate !== undefined) {
      this.#park(entry, [gate.name])
      return
    }
    entry.place = 'active'
    this.#activeCount++
    this.#active.push(entry)
    this.#wakeUp()
  }

  #backOff(entry: Entry, place: 'backoff' | 'failed', until: number): void {
    entry.place = place
    entry.backoffUntil = until
    entry.cancel = this.#clock.after(until - this.#clock.now(), () => {
      this.#leave(entry)
      this.#activate(entry)
    })
    if (place === 'failed') return
    this.#backingOff.add(entry)
    this.#wakeUp()
  }

  #wakeUp(): void {
    this.#wake?.()
    this.#wake = undefined
  }

  #leave(entry: Entry): void {
    entry.cancel?.()
    entry.cancel = undefined
    if (entry.place === 'active') this.#activeCount--
    this.#backingOff.delete(entry)
    if (entry.place === 'unschedulable') {
      for (const plugin of entry.rejectedBy) {
        const pods = this.#rejectedBy.get(plugin)
        pods?.delete(entry.facts.uid)
        if (pods?.size === 0) this.#rejectedBy.delete(plugin)
      }
    }
    entry.place = 'in-flight'
  }
}

/** By priority, then age. */
const isBefore = (a: Entry, b: Entry): boolean =>
  a.facts.priority === b.facts.priority ? a.order < b.order : a.facts.priority > b.facts.priority

/** 1 s, 2 s, 4 s, 8 s, 10 s, … by number of tries. */
export function backoffMs(attempts: number, { initialMs, maxMs }: BackoffLimits): number {
  return Math.min(maxMs, initialMs * 2 ** Math.min(Math.max(0, attempts - 1), 10))
}
