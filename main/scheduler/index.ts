// The scheduler: takes waiting pods one by one, decides synchronously against its own state, and binds in the background.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { SchedulingDecision } from '../../common/api/lab/v1alpha1.ts'
import type { KubeClient } from '../../common/client/client.ts'
import { createClient } from '../../common/client/create-client.ts'
import type { SharedInformers } from '../../common/client/shared-informers.ts'
import { createSharedInformers } from '../../common/client/shared-informers.ts'
import type { Clock } from '../../common/machinery/clock.ts'
import { Histogram } from '../../common/machinery/histogram.ts'
import type { Logger } from '../../common/machinery/logger.ts'
import { isReason } from '../../common/machinery/status.ts'
import type { SchedulerConfiguration } from './configuration/profile.ts'
import { defaultConfiguration } from './configuration/profile.ts'
import type { PlannedClaim } from './devices/claim-binder.ts'
import { ClaimBinder } from './devices/claim-binder.ts'
import { PodDevices } from './devices/pod-devices.ts'
import type { DeviceSelector } from './devices/search.ts'
import { explain } from './decisions/explain.ts'
import { DecisionRecorder } from './decisions/recorder.ts'
import { scheduledMessage, unschedulableMessage } from './framework/messages.ts'
import type { Selection } from './framework/select-node.ts'
import { selectNode } from './framework/select-node.ts'
import { volumePlanFor } from './plugins/volume-binding.ts'
import type { PreemptionPlan } from './preemption/plan.ts'
import { planPreemption } from './preemption/plan.ts'
import { preempt } from './preemption/preempt.ts'
import type { Candidate } from './preemption/victims.ts'
import { Profiles, schedulerNameOf } from './profiles.ts'
import type { QueuedPod } from './queue/scheduling-queue.ts'
import { SchedulingQueue } from './queue/scheduling-queue.ts'
import type { SchedulerSources } from './sources.ts'
import { openSources } from './sources.ts'
import { ClusterState } from './state/cluster-state.ts'
import type { NodeState } from './state/node-state.ts'
import type { PodFacts } from './state/pod-facts.ts'
import type { VolumePlan } from './volumes/plan.ts'
import { watchCluster } from './watch-cluster.ts'

export interface StartSchedulerOptions {
  client: KubeClient
  logger: Logger
  clock: Clock
  /** Made and stopped here when absent. */
  informers?: SharedInformers
  /** Pods that name one of its profiles are ours. Default: one profile "default-scheduler", as upstream's. */
  configuration?: SchedulerConfiguration
  /** Evaluates the selectors of device classes and requests. Without it no device with a selector is found. */
  deviceSelector?: DeviceSelector
  random?: () => number
}

export interface SchedulerCounters {
  scheduled: number
  unschedulable: number
  errors: number
  /** Pods ended to make room for others. */
  preempted: number
  /** Seconds each decision took, without binding. */
  readonly deciding: Histogram
  /** Seconds from a pod's arrival to its binding. */
  readonly untilBound: Histogram
}

export interface RunningScheduler {
  readonly counters: Readonly<SchedulerCounters>
  /** Pods waiting in any state. */
  readonly waiting: number
  /** Pods by where they wait. */
  pending(): ReturnType<SchedulingQueue['places']>
  readonly ready: Promise<void>
  /** Resolves when no pod is active, no binding is under way and all decisions are written (for tests and measurements). */
  settled(): Promise<void>
  stop(): Promise<void>
}

/** A pod on its way to its node. */
interface Binding {
  queued: QueuedPod
  node: string
  decision: SchedulingDecision
  planned: readonly PlannedClaim[]
}

/** Bindings under way at a time; more would only queue in the store. */
const maxBindings = 256
/** Longest stretch of deciding before others get the thread. */
const sliceMs = 8

/** Upstream's buckets: each twice the one before. */
const doubling = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => first * 2 ** index)

export function startScheduler(options: StartSchedulerOptions): RunningScheduler {
  return new Scheduler(options)
}

class Scheduler implements RunningScheduler {
  readonly counters: SchedulerCounters = {
    scheduled: 0,
    unschedulable: 0,
    errors: 0,
    preempted: 0,
    deciding: new Histogram(doubling(0.001, 15)),
    untilBound: new Histogram(doubling(0.01, 20)),
  }
  readonly ready: Promise<void>
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #random: () => number
  readonly #informers: SharedInformers
  readonly #ownInformers: boolean
  readonly #cluster: ClusterState
  readonly #sources: SchedulerSources
  readonly #profiles: Profiles
  readonly #queue: SchedulingQueue
  readonly #podDevices: PodDevices
  /** Pods whose volumes and devices are being bound, with what ends the wait. */
  readonly #preparing = new Map<string, AbortController>()
  readonly #decisions: DecisionRecorder
  readonly #bindings = new Set<Promise<void>>()
  readonly #running: Promise<void>
  #unsubscribe: () => void = () => undefined
  #nextNode = 0
  #stopped = false

  constructor(options: StartSchedulerOptions) {
    const { clock, configuration = defaultConfiguration } = options
    this.#clock = clock
    this.#logger = options.logger
    this.#random = options.random ?? Math.random
    const client = createClient(options.client.transport, { fieldManager: 'kube-scheduler' })
    this.#ownInformers = options.informers === undefined
    this.#informers = options.informers ?? createSharedInformers({ client, logger: this.#logger, clock })
    const { deviceSelector } = options
    this.#sources = openSources({ client, informers: this.#informers, clock, deviceSelector })
    const { watched, plugins: sources } = this.#sources
    this.#cluster = new ClusterState((namespace) => watched.namespaces.get(namespace)?.metadata.labels ?? {})
    this.#profiles = new Profiles(configuration, { client, clock, logger: this.#logger, sources })
    this.#queue = new SchedulingQueue(clock, this.#profiles.filters, configuration.backoff)
    this.#podDevices = new PodDevices({
      sources: sources.devices,
      binder: new ClaimBinder({ client, sources: sources.devices, clock }),
      onChange: (change) => {
        this.#queue.onChange(change)
      },
      logger: this.#logger,
    })
    this.#decisions = new DecisionRecorder({
      client,
      clock,
      logger: this.#logger,
      isBusy: () => this.#queue.active > 0,
      exists: (key, uid) => watched.pods.get(key)?.metadata.uid === uid,
    })
    this.ready = this.#sources.synced.then(() => {
      this.#unsubscribe = watchCluster(watched, {
        cluster: this.#cluster,
        queue: this.#queue,
        isOurs: (pod) => this.#profiles.has(schedulerNameOf(pod)),
        onPodGone: (uid) => {
          this.#decisions.podGone(uid)
          this.#preparing.get(uid)?.abort()
        },
      })
    })
    this.ready.catch(() => undefined)
    this.#running = this.ready.then(
      () => this.#run(),
      () => undefined,
    )
  }

  get waiting(): number {
    return this.#queue.size
  }

  pending(): ReturnType<SchedulingQueue['places']> {
    return this.#queue.places()
  }

  async settled(): Promise<void> {
    await this.ready
    while (this.#queue.active > 0 || this.#bindings.size > 0) {
      await Promise.all(this.#bindings)
      await nextTurn()
    }
    await Promise.all([this.#decisions.flush(), this.#profiles.flush()])
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#unsubscribe()
    this.#sources.stop()
    this.#queue.stop()
    for (const abort of this.#preparing.values()) abort.abort()
    if (this.#ownInformers) this.#informers.stop()
    await this.#running
    await Promise.all(this.#bindings)
    await this.#decisions.stop()
    await this.#profiles.stop()
  }

  async #run(): Promise<void> {
    let sliceStart = performance.now()
    while (!this.#stopped) {
      const queued = this.#queue.take()
      if (queued === undefined) {
        await this.#queue.waitForWork()
        sliceStart = performance.now()
        continue
      }
      this.#scheduleOne(queued)
      if (this.#bindings.size >= maxBindings) await Promise.race(this.#bindings)
      if (performance.now() - sliceStart > sliceMs) {
        await nextTurn()
        sliceStart = performance.now()
      }
    }
  }

  #scheduleOne(queued: QueuedPod): void {
    const startedAt = performance.now()
    const pod = queued.facts
    let selection: Selection
    try {
      const found = selectNode({
        pod,
        cluster: this.#cluster,
        plugins: this.#profiles.of(pod).plugins,
        percentage: this.#profiles.of(pod).percentageOfNodesToScore,
        startAt: this.#nextNode,
        random: this.#random,
      })
      this.#nextNode = found.nodeCount === 0 ? 0 : (this.#nextNode + found.examined) % found.nodeCount
      selection = found
    } catch (error) {
      this.#fail(queued, undefined, error)
      return
    } finally {
      this.counters.deciding.observe((performance.now() - startedAt) / 1000)
    }
    const { chosen } = selection
    if (chosen === undefined) {
      this.#onUnschedulable(queued, selection)
      return
    }
    // Explained now: a moment later the next pods have changed what there is to see.
    const decision = this.#explain(queued, 'Scheduled', scheduledMessage(pod.key, chosen.name), selection)
    let plan: VolumePlan | undefined
    let planned: PlannedClaim[] = []
    try {
      planned = chosen.node === undefined ? [] : this.#podDevices.assume(pod, chosen.node)
      plan = this.#assumeVolumes(pod, chosen)
    } catch (error) {
      void this.#podDevices.release(pod, planned)
      this.#fail(queued, decision, error)
      return
    }
    this.#cluster.assume(pod, chosen.name)
    this.#cluster.nominations.delete(pod.uid)
    const binding: Binding = { queued, node: chosen.name, decision, planned }
    if (plan === undefined && planned.length === 0) this.#track(this.#bind(binding))
    else void this.#prepare(binding, plan)
  }

  #assumeVolumes(pod: PodFacts, { node }: NodeState): VolumePlan | undefined {
    if (node === undefined) return undefined
    const { plugins, volumeBinder } = this.#sources
    const facts = { node, sources: plugins.volumes, isTaken: plugins.isVolumeTaken }
    const plan = volumePlanFor(pod, facts)
    if (plan !== undefined) volumeBinder.assume(plan)
    return plan
  }

  /** Volumes and devices. Their drivers may take minutes: this wait is not among the bindings that hold the loop up. */
  async #prepare(binding: Binding, plan: VolumePlan | undefined): Promise<void> {
    const { queued, node, decision, planned } = binding
    const pod = queued.facts
    const abort = new AbortController()
    this.#preparing.set(pod.uid, abort)
    const onWait = (): void => {
      const message = `waiting for binding conditions for device on node ${node}`
      this.#profiles.of(pod).events.event(pod.pod, 'Normal', 'BindingConditionsPending', message)
    }
    try {
      if (plan !== undefined) await this.#sources.volumeBinder.bind(plan, node, abort.signal)
      await this.#podDevices.bind(pod, planned, abort.signal, onWait)
    } catch (error) {
      this.#cluster.forget(pod.uid)
      await this.#podDevices.release(pod, planned)
      if (!abort.signal.aborted) this.#fail(queued, decision, error)
      return
    } finally {
      this.#preparing.delete(pod.uid)
    }
    this.#track(this.#bind(binding))
  }

  #onUnschedulable(queued: QueuedPod, selection: Selection): void {
    const pod = queued.facts
    const profile = this.#profiles.of(pod)
    const preemption = planPreemption({
      pod,
      selection,
      cluster: this.#cluster,
      plugins: profile.plugins,
      preempts: profile.preempts,
      budgets: this.#sources.budgets.list(),
      random: this.#random,
    })
    const tried = preemption.type === 'none' ? [...this.#podDevices.giveBack(pod, selection), ...preemption.told] : []
    const message = unschedulableMessage(selection, ...tried)
    this.counters.unschedulable++
    this.#queue.unschedulable(pod.uid, [...new Set(selection.rejected.map(({ plugin }) => plugin))])
    this.#decisions.record(this.#explain(queued, 'Unschedulable', message, selection))
    const nominatedNode = this.#nominate(pod, preemption)
    this.#track(profile.binder.reportFailure(pod, { reason: 'Unschedulable', message, nominatedNode }))
    if (preemption.type === 'preempt') this.#track(this.#makeRoom(pod, preemption.candidate))
  }

  /** Keeps the room that is being made for the pod from less important ones; returns what the pod's status is to say. */
  #nominate(pod: PodFacts, preemption: PreemptionPlan): string | null | undefined {
    const { nominations } = this.#cluster
    if (preemption.type === 'preempt') {
      const { name } = preemption.candidate.node
      // Less important pods that were to go there must look again.
      for (const other of nominations.on(name)) if (other.priority < pod.priority) nominations.delete(other.uid)
      nominations.set(pod, name)
      return name
    }
    if (preemption.keepNomination) return undefined
    const isTold = pod.pod.status?.nominatedNodeName !== undefined || nominations.nodeOf(pod.uid) !== undefined
    nominations.delete(pod.uid)
    return isTold ? null : undefined
  }

  async #makeRoom(pod: PodFacts, candidate: Candidate): Promise<void> {
    try {
      await preempt(this.#profiles.of(pod).preempting, pod, candidate)
      this.counters.preempted += candidate.victims.length
    } catch (error) {
      this.#cluster.nominations.delete(pod.uid)
      this.#logger.warn('a pod could not be preempted', { pod: pod.key, node: candidate.node.name, error })
      this.#queue.retry(pod.uid)
    }
  }

  /** Work beside the scheduling loop, of which not too much may pile up. */
  #track(work: Promise<void>): void {
    const tracked = work.finally(() => {
      this.#bindings.delete(tracked)
    })
    this.#bindings.add(tracked)
  }

  async #bind(binding: Binding): Promise<void> {
    const { queued, node, decision } = binding
    const pod = queued.facts
    try {
      await this.#profiles.of(pod).binder.bind(pod, node)
    } catch (error) {
      this.#cluster.forget(pod.uid)
      await this.#podDevices.release(binding.queued.facts, binding.planned)
      // Deleted, or bound by someone else: the informers will tell.
      if (isReason(error, 'NotFound')) this.#queue.remove(pod.uid)
      else this.#fail(queued, decision, error)
      return
    }
    this.counters.scheduled++
    this.counters.untilBound.observe((this.#clock.now() - queued.addedAt) / 1000)
    this.#queue.remove(pod.uid)
    this.#decisions.record(decision)
  }

  #fail(queued: QueuedPod, decision: SchedulingDecision | undefined, error: unknown): void {
    const pod = queued.facts
    const message = error instanceof Error ? error.message : String(error)
    this.counters.errors++
    this.#logger.warn('a pod could not be placed, trying again', { pod: pod.key, message, error })
    this.#queue.retry(pod.uid)
    if (decision !== undefined)
      this.#decisions.record({ ...decision, status: { ...decision.status, outcome: 'Error', message } })
    this.#track(this.#profiles.of(pod).binder.reportFailure(pod, { reason: 'SchedulerError', message }))
  }

  #explain(
    queued: QueuedPod,
    outcome: 'Scheduled' | 'Unschedulable',
    message: string,
    selection: Selection,
  ): SchedulingDecision {
    return explain({
      pod: queued.facts,
      attempt: queued.attempts,
      outcome,
      message,
      selection,
      atMs: this.#clock.now(),
    })
  }
}
