// The scheduler: takes waiting pods one by one, decides synchronously against its own state, and binds in the background.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { SchedulingDecision } from '../../common/api/lab/v1alpha1.ts'
import type { KubeClient } from '../../common/client/client.ts'
import { createClient } from '../../common/client/create-client.ts'
import { createEventRecorder } from '../../common/client/event-recorder.ts'
import {
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  deviceClasses,
  images,
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  podDisruptionBudgets,
  pods,
  replicaSets,
  replicationControllers,
  resourceClaims,
  resourceSlices,
  services,
  statefulSets,
  storageClasses,
} from '../../common/client/resources.ts'
import type { SharedInformers } from '../../common/client/shared-informers.ts'
import { createSharedInformers } from '../../common/client/shared-informers.ts'
import type { Clock } from '../../common/machinery/clock.ts'
import { Histogram } from '../../common/machinery/histogram.ts'
import type { Logger } from '../../common/machinery/logger.ts'
import { isReason } from '../../common/machinery/status.ts'
import { namespaceIndex } from '../controllers/runtime/indexes.ts'
import { createBinder } from './binder.ts'
import type { DeviceSources } from './devices/allocate.ts'
import type { PlannedClaim } from './devices/claim-binder.ts'
import { ClaimBinder } from './devices/claim-binder.ts'
import { DeviceClaims } from './devices/device-claims.ts'
import { PodDevices } from './devices/pod-devices.ts'
import type { DeviceSelector } from './devices/search.ts'
import { explain } from './decisions/explain.ts'
import { DecisionRecorder } from './decisions/recorder.ts'
import { scheduledMessage, unschedulableMessage } from './framework/messages.ts'
import type { Selection } from './framework/select-node.ts'
import { selectNode } from './framework/select-node.ts'
import { newImageArchitectures } from './image-architectures.ts'
import { newPlugins } from './plugins/index.ts'
import { volumePlanFor } from './plugins/volume-binding.ts'
import type { PreemptionPlan } from './preemption/plan.ts'
import { planPreemption } from './preemption/plan.ts'
import type { PreemptOptions } from './preemption/preempt.ts'
import { preempt } from './preemption/preempt.ts'
import type { Candidate } from './preemption/victims.ts'
import type { QueuedPod } from './queue/scheduling-queue.ts'
import { SchedulingQueue } from './queue/scheduling-queue.ts'
import { newDefaultSelector } from './spread-defaults.ts'
import { ClusterState } from './state/cluster-state.ts'
import type { NodeState } from './state/node-state.ts'
import type { PodFacts } from './state/pod-facts.ts'
import type { VolumeSources } from './volumes/claims.ts'
import type { VolumePlan } from './volumes/plan.ts'
import { VolumeBinder } from './volumes/volume-binder.ts'
import { watchCluster } from './watch-cluster.ts'

export interface StartSchedulerOptions {
  client: KubeClient
  logger: Logger
  clock: Clock
  /** Made and stopped here when absent. */
  informers?: SharedInformers
  /** Pods with this spec.schedulerName are ours. Default "default-scheduler". */
  schedulerName?: string
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

const noDeviceSelector: DeviceSelector = () => {
  throw new Error('device selectors cannot be evaluated here')
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
  readonly #plugins
  readonly #queue: SchedulingQueue
  readonly #binder
  readonly #events
  readonly #preempting: PreemptOptions
  readonly #budgets
  readonly #volumeSources: VolumeSources
  readonly #volumeBinder: VolumeBinder
  readonly #devices: DeviceSources
  readonly #podDevices: PodDevices
  /** Pods whose volumes are being bound, with what ends the wait. */
  readonly #waitingForVolumes = new Map<string, AbortController>()
  readonly #decisions: DecisionRecorder
  readonly #bindings = new Set<Promise<void>>()
  readonly #running: Promise<void>
  #unsubscribe: () => void = () => undefined
  #nextNode = 0
  #stopped = false

  constructor(options: StartSchedulerOptions) {
    const schedulerName = options.schedulerName ?? 'default-scheduler'
    this.#clock = options.clock
    this.#logger = options.logger.child({ scheduler: schedulerName })
    this.#random = options.random ?? Math.random
    const client = createClient(options.client.transport, { fieldManager: 'kube-scheduler' })
    const { clock } = options
    this.#ownInformers = options.informers === undefined
    this.#informers = options.informers ?? createSharedInformers({ client, logger: this.#logger, clock })
    const volumeInformer = this.#informers.of(persistentVolumes)
    const classInformer = this.#informers.of(storageClasses)
    const csiNodeInformer = this.#informers.of(csiNodes)
    const csiDriverInformer = this.#informers.of(csiDrivers)
    const capacityInformer = this.#informers.of(csiStorageCapacities)
    const deviceInformers = {
      claims: this.#informers.of(resourceClaims),
      slices: this.#informers.of(resourceSlices),
      classes: this.#informers.of(deviceClasses),
    }
    const watched = {
      pods: this.#informers.of(pods),
      nodes: this.#informers.of(nodes),
      namespaces: this.#informers.of(namespaces),
      images: this.#informers.of(images),
      claims: this.#informers.of(persistentVolumeClaims),
      storage: [volumeInformer, classInformer, csiNodeInformer, csiDriverInformer, capacityInformer],
      deviceClaims: deviceInformers.claims,
      devices: [deviceInformers.slices, deviceInformers.classes],
    }
    this.#devices = {
      claims: new DeviceClaims(deviceInformers),
      selector: options.deviceSelector ?? noDeviceSelector,
    }
    this.#volumeSources = {
      claim: (key) => watched.claims.get(key),
      volume: (name) => volumeInformer.get(name),
      volumes: () => volumeInformer.list(),
      storageClass: (name) => classInformer.get(name),
      csiNode: (name) => csiNodeInformer.get(name),
      csiDriver: (name) => csiDriverInformer.get(name),
      storageCapacities: () => capacityInformer.list(),
    }
    this.#volumeBinder = new VolumeBinder({ client, claims: watched.claims, clock })
    const serviceInformer = this.#informers.of(services, namespaceIndex)
    const selectorSources = {
      services: serviceInformer,
      replicaSets: this.#informers.of(replicaSets),
      statefulSets: this.#informers.of(statefulSets),
      replicationControllers: this.#informers.of(replicationControllers),
    }
    this.#cluster = new ClusterState((namespace) => watched.namespaces.get(namespace)?.metadata.labels ?? {})
    this.#plugins = newPlugins({
      imageArchitectures: newImageArchitectures(watched.images),
      defaultSelector: newDefaultSelector(selectorSources),
      volumes: this.#volumeSources,
      isVolumeTaken: this.#volumeBinder.isTaken,
      devices: this.#devices,
    })
    this.#queue = new SchedulingQueue(clock, this.#plugins.filters)
    this.#podDevices = new PodDevices({
      sources: this.#devices,
      binder: new ClaimBinder({ client, sources: this.#devices, clock }),
      onChange: (change) => {
        this.#queue.onChange(change)
      },
      logger: this.#logger,
    })
    this.#events = createEventRecorder({ client, component: schedulerName, clock, logger: this.#logger })
    this.#preempting = { client, events: this.#events, clock, schedulerName }
    this.#budgets = this.#informers.of(podDisruptionBudgets)
    this.#binder = createBinder({
      client,
      events: this.#events,
      clock,
      onError: (message, error) => {
        this.#logger.warn(message, { error })
      },
    })
    this.#decisions = new DecisionRecorder({
      client,
      clock,
      logger: this.#logger,
      isBusy: () => this.#queue.active > 0,
      exists: (key, uid) => watched.pods.get(key)?.metadata.uid === uid,
    })
    // Images are an extra of the lab: a server without that kind must not keep pods from being placed.
    const needed = [
      watched.pods,
      watched.nodes,
      watched.namespaces,
      watched.claims,
      ...watched.storage,
      ...Object.values(deviceInformers),
      ...Object.values(selectorSources),
    ]
    this.ready = Promise.all(needed.map(({ synced }) => synced)).then(() => {
      this.#unsubscribe = watchCluster(watched, {
        cluster: this.#cluster,
        queue: this.#queue,
        schedulerName,
        onPodGone: (uid) => {
          this.#decisions.podGone(uid)
          this.#waitingForVolumes.get(uid)?.abort()
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
    await Promise.all([this.#decisions.flush(), this.#events.flush()])
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#unsubscribe()
    this.#devices.claims.stop()
    this.#queue.stop()
    for (const abort of this.#waitingForVolumes.values()) abort.abort()
    if (this.#ownInformers) this.#informers.stop()
    await this.#running
    await Promise.all(this.#bindings)
    await this.#decisions.stop()
    await this.#events.stop()
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
        plugins: this.#plugins,
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
    let planned: PlannedClaim[]
    try {
      plan = this.#assumeVolumes(pod, chosen)
      planned = chosen.node === undefined ? [] : this.#podDevices.assume(pod, chosen.node)
    } catch (error) {
      this.#fail(queued, decision, error)
      return
    }
    this.#cluster.assume(pod, chosen.name)
    this.#cluster.nominations.delete(pod.uid)
    const binding: Binding = { queued, node: chosen.name, decision, planned }
    if (plan === undefined) this.#track(this.#bind(binding))
    else void this.#bindVolumes(binding, plan)
  }

  #assumeVolumes(pod: PodFacts, { node }: NodeState): VolumePlan | undefined {
    if (node === undefined) return undefined
    const facts = { node, sources: this.#volumeSources, isTaken: this.#volumeBinder.isTaken }
    const plan = volumePlanFor(pod, facts)
    if (plan !== undefined) this.#volumeBinder.assume(plan)
    return plan
  }

  /** Provisioners may take minutes: this wait is not among the bindings that hold the loop up. */
  async #bindVolumes(binding: Binding, plan: VolumePlan): Promise<void> {
    const { queued, node, decision } = binding
    const { uid } = queued.facts
    const abort = new AbortController()
    this.#waitingForVolumes.set(uid, abort)
    try {
      await this.#volumeBinder.bind(plan, node, abort.signal)
    } catch (error) {
      this.#cluster.forget(uid)
      await this.#podDevices.release(binding.queued.facts, binding.planned)
      if (abort.signal.aborted) return
      const why = error instanceof Error ? error.message : String(error)
      this.#fail(queued, decision, new Error(`running PreBind plugin "VolumeBinding": ${why}`))
      return
    } finally {
      this.#waitingForVolumes.delete(uid)
    }
    this.#track(this.#bind(binding))
  }

  #onUnschedulable(queued: QueuedPod, selection: Selection): void {
    const pod = queued.facts
    const preemption = planPreemption({
      pod,
      selection,
      cluster: this.#cluster,
      plugins: this.#plugins,
      budgets: this.#budgets.list(),
      random: this.#random,
    })
    const tried =
      preemption.type === 'none'
        ? [...this.#podDevices.giveBack(pod, selection), `preemption: ${preemption.message}`]
        : []
    const message = unschedulableMessage(selection, ...tried)
    this.counters.unschedulable++
    this.#queue.unschedulable(pod.uid, [...new Set(selection.rejected.map(({ plugin }) => plugin))])
    this.#decisions.record(this.#explain(queued, 'Unschedulable', message, selection))
    const nominatedNode = this.#nominate(pod, preemption)
    this.#track(this.#binder.reportFailure(pod, { reason: 'Unschedulable', message, nominatedNode }))
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
      await preempt(this.#preempting, pod, candidate)
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
    const { queued, node, decision, planned } = binding
    const pod = queued.facts
    try {
      await this.#podDevices.bind(pod, planned)
      await this.#binder.bind(pod, node)
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
    this.#track(this.#binder.reportFailure(pod, { reason: 'SchedulerError', message }))
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
