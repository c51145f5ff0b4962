// One pod's life on this node, strictly one step after the other: observe, plan, act, report, until there is nothing left to do;
// woken by changes of the pod, runtime events, probe verdicts and timers.
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Pod } from '../../../common/api/generated/types.ts'
import { pods } from '../../../common/client/resources.ts'
import { StatusError } from '../../../common/machinery/status.ts'
import type { PodSandboxConfigSchema } from '../../../build/generated/cri/api_pb.js'
import { describeError } from '../logger.ts'
import { PodProbes } from '../probes/pod-probes.ts'
import { runProbe } from '../probes/run-probe.ts'
import type { ObservedPod } from '../runtime/observed.ts'
import { RuntimeService } from '../runtime/runtime.ts'
import type { MountedVolumes } from '../volumes/pod-volumes.ts'
import { ensurePodCgroup, removePodCgroup } from './cgroups.ts'
import { startContainer, StartError } from './container-starter.ts'
import { stopAllContainers, stopContainer, type StopInput } from './container-stopper.ts'
import { dnsSettings, podHostname } from './hosts-file.ts'
import { isSidecar, planPod, type Plan } from './plan.ts'
import { isWrongArchitecture } from './image-reference.ts'
import type { PodContext } from './pod-context.ts'
import type { PodEvent } from './pod-event.ts'
import { admitResize, planResizes, type Admission } from './resize.ts'
import { criResources, podCgroup } from './resources.ts'
import { sandboxConfig } from './sandbox-config.ts'
import { podStatus, type WaitingReason } from './status.ts'
import { observeWithMessages, podLogDirectory, removeSupersededContainers } from './pod-observation.ts'
import { Backoff } from '../../../common/client/backoff.ts'

type Phase =
  | { at: 'running' }
  /** Being stopped; `ended` fixes the final status when the node ends the pod on its own. */
  | { at: 'terminating'; ended?: 'as-written' | { phase: 'Failed' | 'Succeeded'; reason: string; message: string } }
  /** Nothing runs any more; waits for the object to go, then removes what is left. */
  | { at: 'terminated' }
  | { at: 'gone' }

export interface PodWorkerOptions {
  context: PodContext
  pod: Pod
  /** False for pods that only the runtime knows: they are stopped and removed. */
  inApi: boolean
  nodeHosts: string
  onGone: () => void
}

export class PodWorker {
  readonly #context: PodContext
  readonly #options: PodWorkerOptions
  readonly #probes: PodProbes
  readonly #event: PodEvent
  readonly #waiting = new Map<string, WaitingReason>()
  readonly #retry = new Backoff({ baseMs: 1000, maxMs: 120_000 })
  /** Of volumes and sandboxes that cannot be made; reset when they can. */
  readonly #setUpRetry = new Backoff({ baseMs: 1000, maxMs: 122_000 })
  /** Aborted as soon as the pod is to be stopped: ends pulls and hooks. */
  readonly #stopping = new AbortController()
  /** Containers whose wrong architecture has been told. */
  readonly #explained = new Set<string>()
  #hurry = new AbortController()
  #pod: Pod
  /** The pod as this node admits it: resources wait when a resize has no room. */
  #admission: Admission
  #inApi: boolean
  #phase: Phase = { at: 'running' }
  #dirty = false
  #running = false
  #closed = false
  #cancelTimer: () => void = () => undefined
  #volumes: MountedVolumes = { paths: new Map(), refreshAtMs: undefined }
  #terminationStartedMs: number | undefined

  constructor(options: PodWorkerOptions) {
    this.#options = options
    this.#context = options.context
    this.#pod = options.pod
    this.#admission = { pod: options.pod }
    this.#inApi = options.inApi
    this.#event = (...args) => {
      this.#context.event(this.#pod, ...args)
    }
    this.#probes = new PodProbes({
      clock: this.#context.clock,
      run: (probe, target) => runProbe(probe, { ...target, runtime: this.#context.runtime }),
      event: this.#event,
      onChange: () => {
        this.wake()
      },
    })
    if (options.inApi)
      this.#context.objects.hold(this.#pod, () => {
        this.wake()
      })
  }

  get uid(): string {
    return this.#pod.metadata.uid ?? ''
  }

  get pod(): Pod {
    return this.#pod
  }

  update(pod: Pod): void {
    const oldGrace = this.#graceSeconds()
    this.#pod = pod
    if (pod.metadata.deletionTimestamp !== undefined) this.#stopping.abort()
    // A shorter grace period given later counts at once.
    if (this.#phase.at === 'terminating' && this.#graceSeconds() < oldGrace) this.#hurry.abort()
    this.wake()
  }

  /** The object is gone from the API: whatever runs is stopped and removed. */
  removed(): void {
    this.#inApi = false
    this.#stopping.abort()
    this.wake()
  }

  /** Something may have changed. Cheap; calls during a step lead to one more step. */
  wake(): void {
    this.#dirty = true
    if (!this.#running && !this.#closed) void this.#loop()
  }

  /** Stops looking after the pod without touching it (the agent ends). */
  close(): void {
    this.#closed = true
    this.#cancelTimer()
    this.#probes.stop()
    this.#context.objects.release(this.uid)
  }

  async #loop(): Promise<void> {
    this.#running = true
    while (this.#dirty && !this.#closed && this.#phase.at !== 'gone') {
      this.#dirty = false
      this.#cancelTimer()
      try {
        await this.#step()
        this.#retry.reset()
      } catch (error) {
        const waitMs = this.#retry.next()
        this.#context.logger.warn('a step of a pod failed, trying again', {
          pod: this.#pod.metadata.name,
          error: describeError(error),
          waitMs: Math.round(waitMs),
        })
        this.#wakeAfter(waitMs)
      }
    }
    this.#running = false
  }

  #wakeAfter(ms: number): void {
    if (this.#closed) return
    this.#cancelTimer()
    this.#cancelTimer = this.#context.clock.after(Math.max(0, ms), () => {
      this.wake()
    })
  }

  #step(): Promise<void> {
    const deleted = this.#pod.metadata.deletionTimestamp !== undefined || !this.#inApi
    if (this.#phase.at === 'running' && deleted) this.#phase = { at: 'terminating' }
    switch (this.#phase.at) {
      case 'running':
        return this.#stepRunning()
      case 'terminating':
        return this.#stepTerminating()
      case 'terminated':
        return deleted ? this.#finish() : Promise.resolve()
      case 'gone':
        return Promise.resolve()
    }
  }

  async #stepRunning(): Promise<void> {
    const { clock } = this.#context
    let observed = await this.#observe()
    this.#probes.sync(this.#pod, observed, this.#podIps(observed)[0] ?? '')
    const known = this.#pod.status?.phase
    if (known === 'Succeeded' || known === 'Failed') {
      // Ended before this agent started, or put so by somebody else (a controller): what still runs is stopped, the status stays.
      this.#phase = { at: 'terminating', ended: 'as-written' }
      this.#stopping.abort()
      this.#dirty = true
      return
    }
    const deadline = this.#deadlineMs()
    if (deadline !== undefined && clock.now() >= deadline) {
      const message = 'Pod was active on the node longer than the specified deadline'
      this.#event('Normal', 'DeadlineExceeded', message)
      this.#phase = { at: 'terminating', ended: { phase: 'Failed', reason: 'DeadlineExceeded', message } }
      this.#stopping.abort()
      this.#dirty = true
      return
    }
    this.#admission = admitResize(this.#pod, this.#context.node(), this.#context.pods())
    observed = await this.#resize(observed)
    const plan = planPod({
      pod: this.#admission.pod,
      observed,
      failedProbes: this.#probes.failed(),
      started: (id) => this.#probes.started(id),
    })
    const status = this.#report(observed)
    if (isOver(status)) {
      this.#phase = { at: 'terminating' }
      this.#dirty = true
      return
    }
    const retryMs = await this.#act(plan, observed)
    const due = [retryMs, ...this.#timers()].filter((ms) => ms !== undefined)
    if (due.length > 0) this.#wakeAfter(Math.min(...due))
  }

  async #resize(observed: ObservedPod): Promise<ObservedPod> {
    const { pod } = this.#admission
    const resizes = planResizes(pod, observed)
    if (resizes.length === 0) return observed
    await ensurePodCgroup(podCgroup(pod))
    for (const { container, resources } of resizes)
      await this.#context.runtime.call(RuntimeService.method.updateContainerResources, {
        containerId: container.id,
        linux: criResources(resources),
      })
    return this.#observe()
  }

  #timers(): (number | undefined)[] {
    const now = this.#context.clock.now()
    const deadline = this.#deadlineMs()
    const { refreshAtMs } = this.#volumes
    return [
      deadline === undefined ? undefined : deadline - now,
      refreshAtMs === undefined ? undefined : refreshAtMs - now,
    ]
  }

  /** Returns after how many ms to try again what did not work; undefined: nothing waits for time to pass. */
  async #act(plan: Plan, observed: ObservedPod): Promise<number | undefined> {
    const { runtime, volumes } = this.#context
    if (plan.killPod) {
      await this.#stopEverything(observed, this.#pod.spec?.terminationGracePeriodSeconds ?? 30)
      if (!plan.createSandbox) {
        // Only what changed since decides how it goes on; no change: nothing to do.
        this.#dirty =
          observed.sandboxes.some(({ ready }) => ready) || observed.containers.some(({ state }) => state === 'running')
        return undefined
      }
    }
    await ensurePodCgroup(podCgroup(this.#admission.pod))
    try {
      this.#volumes = await volumes.setUp(this.#pod, this.#podIps(observed))
    } catch (error) {
      this.#event('Warning', 'FailedMount', describeError(error))
      return this.#setUpRetry.next()
    }
    if (!plan.createSandbox && plan.kill.length === 0 && plan.start.length === 0) return undefined
    this.#dirty = true
    let sandboxId = observed.sandboxes[0]?.id ?? ''
    let current = observed
    const attempt = plan.createSandbox ? plan.attempt : (observed.sandboxes[0]?.attempt ?? 0)
    const config = this.#sandboxConfig(attempt)
    if (plan.createSandbox) {
      try {
        const answer = await runtime.call(RuntimeService.method.runPodSandbox, { config }, { timeoutMs: 240_000 })
        sandboxId = answer.podSandboxId
      } catch (error) {
        this.#event('Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${describeError(error)}`)
        this.#dirty = false
        return this.#setUpRetry.next()
      }
      this.#setUpRetry.reset()
      current = await this.#observe()
      this.#report(current)
      // Downward API files may show the address, which exists only now.
      this.#volumes = await volumes.setUp(this.#pod, this.#podIps(current))
    }
    const stop = this.#stopInput(current)
    await Promise.all(
      plan.kill.map(({ container, message, reason }) =>
        stopContainer(stop, container, { graceSeconds: this.#killGrace(container.name, reason), message }),
      ),
    )
    if (plan.kill.length > 0) current = await this.#observe()
    return this.#start(plan, { config, sandboxId, current })
  }

  async #start(
    plan: Plan,
    target: { config: MessageInitShape<typeof PodSandboxConfigSchema>; sandboxId: string; current: ObservedPod },
  ): Promise<number | undefined> {
    let retryMs: number | undefined
    let started = 0
    for (const container of plan.start) {
      if (this.#stopping.signal.aborted) break
      try {
        await startContainer({
          context: this.#context,
          pod: this.#admission.pod,
          container,
          observed: target.current,
          sandboxId: target.sandboxId,
          sandboxConfig: target.config,
          podIps: this.#podIps(target.current),
          volumes: this.#volumes.paths,
          event: this.#event,
          signal: this.#stopping.signal,
          nodeHosts: this.#options.nodeHosts,
        })
        this.#waiting.delete(container.name)
        started++
        // Others of the pod may take long (pulls): what runs already should show.
        if (plan.start.length > 1) this.#report(await this.#observe())
      } catch (error) {
        if (!(error instanceof StartError)) throw error
        if (error.reason === 'Aborted') break
        this.#waiting.set(container.name, { reason: error.reason, message: error.message })
        const wait = error.retryMs ?? 10_000
        retryMs = Math.min(retryMs ?? Infinity, wait)
      }
    }
    // A failed start shows at once; another step follows only when something did change.
    const observed = await this.#observe()
    this.#probes.sync(this.#pod, observed, this.#podIps(observed)[0] ?? '')
    this.#report(observed)
    if (started === 0) this.#dirty = plan.kill.length > 0 || this.#stopping.signal.aborted
    if (started > 0) await removeSupersededContainers(this.#context, this.#pod, observed)
    return retryMs
  }

  async #stepTerminating(): Promise<void> {
    if (this.#phase.at !== 'terminating') return
    const { ended } = this.#phase
    const { clock } = this.#context
    this.#terminationStartedMs ??= clock.now()
    this.#admission = { pod: this.#pod }
    this.#probes.stop()
    let observed = await this.#observe()
    const elapsed = Math.floor((clock.now() - this.#terminationStartedMs) / 1000)
    await this.#stopEverything(observed, Math.max(0, this.#graceSeconds() - elapsed))
    observed = await this.#observe()
    if (observed.containers.some(({ state }) => state === 'running')) throw new Error('containers are still running')
    if (this.#inApi && ended !== 'as-written') {
      this.#waiting.clear()
      this.#report(observed, { finished: true, ended })
      await this.#context.status.settled(this.uid)
    }
    await this.#context.volumes.tearDown(this.uid)
    this.#context.objects.release(this.uid)
    this.#phase = { at: 'terminated' }
    this.#dirty = true
  }

  /** Removes what is left of a deleted pod, last of all its object. */
  async #finish(): Promise<void> {
    const { runtime, client, volumes, puller, status } = this.#context
    const { name = '', namespace, uid = '' } = this.#pod.metadata
    const observed = await this.#observe()
    for (const sandbox of observed.sandboxes) {
      await runtime.call(RuntimeService.method.stopPodSandbox, { podSandboxId: sandbox.id })
      await runtime.call(RuntimeService.method.removePodSandbox, { podSandboxId: sandbox.id })
    }
    await volumes.tearDown(uid)
    await removePodCgroup(podCgroup(this.#pod).path)
    if (this.#inApi) {
      try {
        await client.delete(pods, name, namespace, { gracePeriodSeconds: 0, preconditions: { uid } })
      } catch (error) {
        // Gone already, or a namesake has taken its place.
        if (!(error instanceof StatusError && (error.code === 404 || error.code === 409))) throw error
      }
    }
    this.#context.hostPorts.set(this.#pod, undefined)
    puller.forgetPod(uid)
    status.forget(uid)
    this.#phase = { at: 'gone' }
    this.#options.onGone()
  }

  async #stopEverything(observed: ObservedPod, graceSeconds: number): Promise<void> {
    const { runtime } = this.#context
    this.#hurry = new AbortController()
    const hurried = new Promise<void>((resolve) => {
      this.#hurry.signal.addEventListener('abort', () => {
        resolve()
      })
    })
    const stopped = stopAllContainers(
      { ...this.#stopInput(observed), signal: this.#hurry.signal },
      observed,
      graceSeconds,
    )
    await Promise.race([stopped, hurried])
    if (this.#hurry.signal.aborted) {
      // The runtime takes a second, shorter stop while the first one still waits.
      const running = observed.containers.filter(({ state }) => state === 'running')
      await Promise.all(
        running.map(({ id }) =>
          runtime.call(RuntimeService.method.stopContainer, {
            containerId: id,
            timeout: BigInt(Math.max(1, this.#graceSeconds())),
          }),
        ),
      )
      await stopped
    }
    for (const { id } of observed.sandboxes)
      await runtime.call(RuntimeService.method.stopPodSandbox, { podSandboxId: id }, { timeoutMs: 240_000 })
  }

  #report(
    observed: ObservedPod,
    end: { finished: boolean; ended?: { phase: 'Failed' | 'Succeeded'; reason: string; message: string } } = {
      finished: false,
    },
  ): ReturnType<typeof podStatus> {
    const status = podStatus({
      pod: this.#admission.pod,
      pendingResize: this.#admission.pending,
      observed,
      waiting: this.#waiting,
      ready: (id) => this.#probes.ready(id),
      started: (id) => this.#probes.started(id),
      hostIps: this.#context.node().addresses,
      now: this.#context.clock.now(),
      ...end,
    })
    const sandbox = observed.sandboxes[0]
    this.#context.hostPorts.set(this.#pod, sandbox?.ready === true && !end.finished ? sandbox.ips[0] : undefined)
    // A pod is over for the cluster only when nothing of it runs any more: sidecars end after the rest.
    const shown = isOver(status) && observed.containers.some(({ state }) => state === 'running') ? { ...status, phase: this.#pod.status?.phase ?? 'Running' } : status // prettier-ignore
    if (this.#inApi) this.#context.status.set(this.#pod, shown)
    return status
  }

  async #observe(): Promise<ObservedPod> {
    const { runtime, config } = this.#context
    const observed = await observeWithMessages(runtime, this.uid, config.arch)
    for (const { id, name, message } of observed.containers) {
      if (!isWrongArchitecture(message) || this.#explained.has(id)) continue
      this.#explained.add(id)
      this.#event(
        'Warning',
        'Failed',
        `Error: ${message}`,
        this.#pod.spec?.containers.find((c) => c.name === name),
      )
    }
    return observed
  }

  #podIps(observed: ObservedPod): readonly string[] {
    if (this.#pod.spec?.hostNetwork === true) return this.#context.node().addresses
    return observed.sandboxes.find(({ ready }) => ready)?.ips ?? []
  }

  #stopInput(observed: ObservedPod): StopInput {
    return { context: this.#context, pod: this.#pod, podIp: this.#podIps(observed)[0] ?? '', event: this.#event }
  }

  #graceSeconds(): number {
    const { deletionGracePeriodSeconds } = this.#pod.metadata
    if (!this.#options.inApi) return 5
    return deletionGracePeriodSeconds ?? this.#pod.spec?.terminationGracePeriodSeconds ?? 30
  }

  /** Probes may shorten or lengthen the grace period of the containers they kill. */
  #killGrace(name: string, reason: string): number {
    const container = [...(this.#pod.spec?.containers ?? []), ...(this.#pod.spec?.initContainers ?? []).filter(isSidecar)].find((c) => c.name === name) // prettier-ignore
    const probe = reason === 'LivenessProbe' ? container?.livenessProbe : reason === 'StartupProbe' ? container?.startupProbe : undefined // prettier-ignore
    return probe?.terminationGracePeriodSeconds ?? this.#pod.spec?.terminationGracePeriodSeconds ?? 30
  }

  #deadlineMs(): number | undefined {
    const seconds = this.#pod.spec?.activeDeadlineSeconds
    const start = this.#pod.status?.startTime
    return seconds === undefined || start === undefined ? undefined : Date.parse(start) + seconds * 1000
  }

  #sandboxConfig(attempt: number): MessageInitShape<typeof PodSandboxConfigSchema> {
    const { cluster } = this.#context.config
    return sandboxConfig({
      pod: this.#pod,
      attempt,
      hostname: podHostname(this.#pod),
      // The node itself knows no name servers: nothing outside the lab is reachable unless the lab says so.
      dns: dnsSettings(this.#pod, cluster, { servers: [], searches: [], options: [] }),
      logDirectory: podLogDirectory(this.#pod),
    })
  }
}

const isOver = ({ phase }: { phase?: string }): boolean => phase === 'Succeeded' || phase === 'Failed'
