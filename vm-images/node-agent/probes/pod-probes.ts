// The probes of one pod: a timer per running container and probe, and what follows from them: is it started, ready, to be killed?
import type { Container, Pod, Probe } from '../../../common/api/generated/types.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { ObservedContainer, ObservedPod } from '../runtime/observed.ts'
import type { PodEvent } from '../pods/pod-event.ts'
import { describeError } from '../logger.ts'
import { ThresholdCounter, type Verdict } from './probe-result.ts'
import type { ProbeTarget } from './run-probe.ts'
import type { ProbeResult } from './http-probe.ts'

type Kind = 'liveness' | 'readiness' | 'startup'
const titles: Record<Kind, string> = { liveness: 'Liveness', readiness: 'Readiness', startup: 'Startup' }

export interface PodProbesOptions {
  clock: Clock
  run: (probe: Probe, target: Omit<ProbeTarget, 'runtime'>) => Promise<ProbeResult>
  event: PodEvent
  /** A verdict changed: plan and status want another look. */
  onChange: () => void
}

interface ProbeWorker {
  cancel: () => void
}

export class PodProbes {
  readonly #options: PodProbesOptions
  readonly #workers = new Map<string, ProbeWorker>()
  readonly #verdicts = new Map<string, Verdict>()
  #containers: readonly Container[] = []
  #podIp = ''

  constructor(options: PodProbesOptions) {
    this.#options = options
  }

  /** Starts probes of running containers and stops those of containers that are gone. `status` gives verdicts from before a restart of the agent. */
  sync(pod: Pod, observed: ObservedPod, podIp: string): void {
    this.#podIp = podIp
    this.#containers = [
      ...(pod.spec?.containers ?? []),
      ...(pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy === 'Always'),
    ]
    const alive = new Set<string>()
    for (const container of this.#containers) {
      const running = observed.containers.find(({ name, state }) => name === container.name && state === 'running')
      if (running === undefined) continue
      alive.add(running.id)
      this.#adoptVerdicts(pod, container, running)
      for (const [kind, probe] of probesOf(container)) this.#ensure(kind, probe, container, running)
    }
    for (const key of [...this.#workers.keys(), ...this.#verdicts.keys()])
      if (!alive.has(key.slice(key.indexOf('/') + 1))) this.#remove(key)
  }

  started(id: string): boolean {
    const startup = this.#containerOf.get(id)?.startupProbe
    return startup === undefined || this.#verdicts.get(`startup/${id}`) === 'success'
  }

  ready(id: string): boolean {
    const readiness = this.#containerOf.get(id)?.readinessProbe
    return this.started(id) && (readiness === undefined || this.#verdicts.get(`readiness/${id}`) === 'success')
  }

  /** Running containers to replace, by id. */
  failed(): Map<string, 'liveness' | 'startup'> {
    const failed = new Map<string, 'liveness' | 'startup'>()
    for (const [key, verdict] of this.#verdicts) {
      if (verdict !== 'failure') continue
      const slash = key.indexOf('/')
      const kind = key.slice(0, slash)
      if (kind === 'liveness' || kind === 'startup') failed.set(key.slice(slash + 1), kind)
    }
    return failed
  }

  /** Liveness and startup no longer matter once the pod is being stopped; readiness goes on so that traffic stops when it should. */
  stop(): void {
    for (const key of [...this.#workers.keys()]) this.#remove(key)
  }

  readonly #containerOf = new Map<string, Container>()

  #adoptVerdicts(pod: Pod, container: Container, running: ObservedContainer): void {
    if (this.#containerOf.has(running.id)) return
    this.#containerOf.set(running.id, container)
    const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
    const known = statuses.find(({ containerID }) => containerID === `containerd://${running.id}`)
    if (known?.started === true && container.startupProbe !== undefined)
      this.#verdicts.set(`startup/${running.id}`, 'success')
    if (known?.ready === true && container.readinessProbe !== undefined)
      this.#verdicts.set(`readiness/${running.id}`, 'success')
  }

  #ensure(kind: Kind, probe: Probe, container: Container, running: ObservedContainer): void {
    const key = `${kind}/${running.id}`
    if (this.#workers.has(key)) return
    if (kind === 'startup' && this.#verdicts.get(key) === 'success') return
    const counter = new ThresholdCounter(probe)
    const periodMs = (probe.periodSeconds ?? 10) * 1000
    const worker: ProbeWorker = { cancel: () => undefined }
    const { clock } = this.#options
    const schedule = (ms: number): void => {
      worker.cancel = clock.after(ms, () => void tick())
    }
    const tick = async (): Promise<void> => {
      const waitsForStartup = kind !== 'startup' && !this.started(running.id)
      if (!waitsForStartup) await this.#probeOnce({ kind, probe, container, running, counter })
      if (this.#workers.get(key) !== worker) return
      const settled = this.#verdicts.get(key)
      const over = (kind === 'startup' && settled !== undefined) || (kind === 'liveness' && settled === 'failure')
      // A container that has just started wants its first readiness soon; afterwards the period rules.
      if (over) worker.cancel = () => undefined
      else schedule(waitsForStartup ? Math.min(periodMs, 1000) : periodMs)
    }
    this.#workers.set(key, worker)
    const dueAt = running.startedAtMs + (probe.initialDelaySeconds ?? 0) * 1000
    schedule(Math.max(0, dueAt - clock.now()))
  }

  async #probeOnce(options: {
    kind: Kind
    probe: Probe
    container: Container
    running: ObservedContainer
    counter: ThresholdCounter
  }): Promise<void> {
    const { kind, probe, container, running, counter } = options
    const key = `${kind}/${running.id}`
    let result: ProbeResult
    try {
      result = await this.#options.run(probe, { container, containerId: running.id, podIp: this.#podIp })
    } catch (error) {
      if (this.#workers.has(key))
        this.#options.event('Warning', 'Unhealthy', `${titles[kind]} probe errored: ${describeError(error)}`, container)
      return
    }
    if (!this.#workers.has(key)) return
    if (!result.ok)
      this.#options.event('Warning', 'Unhealthy', `${titles[kind]} probe failed: ${result.message}`, container)
    const verdict = counter.push(result.ok)
    if (verdict === undefined || this.#verdicts.get(key) === verdict) return
    this.#verdicts.set(key, verdict)
    this.#options.onChange()
  }

  #remove(key: string): void {
    this.#workers.get(key)?.cancel()
    this.#workers.delete(key)
    this.#verdicts.delete(key)
    this.#containerOf.delete(key.slice(key.indexOf('/') + 1))
  }
}

function* probesOf(container: Container): Generator<[Kind, Probe]> {
  if (container.startupProbe !== undefined) yield ['startup', container.startupProbe]
  if (container.livenessProbe !== undefined) yield ['liveness', container.livenessProbe]
  if (container.readinessProbe !== undefined) yield ['readiness', container.readinessProbe]
}
