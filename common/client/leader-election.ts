// Lease-based leader election: at most one of several engines acts. The leader stops acting before another may take over
// (renewDeadline < leaseDuration), judged by its own clock; clocks of different engines are never compared, only observed changes.
import type { Lease } from '../api/generated/types.ts'
import type { Clock } from '../machinery/clock.ts'
import { formatMicroTime } from '../machinery/clock.ts'
import type { Logger } from '../machinery/logger.ts'
import { isReason } from '../machinery/status.ts'
import type { KubeClient } from './client.ts'
import { delay } from './delay.ts'
import { leases } from './resources.ts'

export interface LeaderElectorOptions {
  client: KubeClient
  namespace: string
  name: string
  /** Unique per process. */
  identity: string
  /** Runs while leading; its signal is aborted when leadership is lost or `stop` is called, and it is waited for. */
  lead: (signal: AbortSignal) => Promise<void>
  /** How long others must see no renewal before they take over. Default 15 s. */
  leaseDurationMs?: number
  /** Without a renewal for this long the leader gives up. Default 10 s. */
  renewDeadlineMs?: number
  /** Default 2 s. */
  retryPeriodMs?: number
  clock: Clock
  logger: Logger
}

export interface LeaderElector {
  readonly isLeader: boolean
  start(): void
  /** Gives the lease back, so that another need not wait for it to run out. */
  stop(): Promise<void>
}

export function createLeaderElector(options: LeaderElectorOptions): LeaderElector {
  return new LeaseElector(options)
}

class LeaseElector implements LeaderElector {
  isLeader = false
  readonly #options: LeaderElectorOptions
  readonly #abort = new AbortController()
  readonly #leaseDurationMs: number
  readonly #renewDeadlineMs: number
  readonly #retryPeriodMs: number
  #observed: { resourceVersion: string; at: number } | undefined
  #lease: Lease | undefined
  #running: Promise<void> | undefined

  constructor(options: LeaderElectorOptions) {
    this.#options = options
    this.#leaseDurationMs = options.leaseDurationMs ?? 15_000
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000
    this.#retryPeriodMs = options.retryPeriodMs ?? 2_000
    if (this.#renewDeadlineMs >= this.#leaseDurationMs)
      throw new TypeError('renewDeadlineMs must be less than leaseDurationMs')
  }

  start(): void {
    this.#running ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#abort.abort(new Error('leader election is stopping'))
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort
    const { clock, logger } = this.#options
    while (!signal.aborted) {
      if (await this.#tryAcquire()) await this.#leadUntilLost()
      if (this.#abort.signal.aborted) return
      await delay(clock, this.#retryPeriodMs * (0.8 + 0.4 * Math.random()), signal).catch(() => undefined)
    }
    logger.debug('leader election ended')
  }

  async #leadUntilLost(): Promise<void> {
    const { clock, logger, lead, name } = this.#options
    const term = new AbortController()
    const stopTerm = (): void => {
      term.abort(new Error('leadership ended'))
    }
    this.#abort.signal.addEventListener('abort', stopTerm, { once: true })
    this.isLeader = true
    logger.info('became leader', { lease: name })
    let ended = false
    const work = lead(term.signal)
      .catch((error: unknown) => {
        logger.error('leading failed', { error })
      })
      .finally(() => {
        ended = true
        stopTerm()
      })
    let renewedAt = clock.now()
    while (!term.signal.aborted) {
      await delay(clock, this.#retryPeriodMs, term.signal).catch(() => undefined)
      if (term.signal.aborted) break
      if (await this.#tryAcquire()) renewedAt = clock.now()
      else if (clock.now() - renewedAt >= this.#renewDeadlineMs) break
    }
    stopTerm()
    this.isLeader = false
    await work
    this.#abort.signal.removeEventListener('abort', stopTerm)
    if (ended && this.#abort.signal.aborted) await this.#release()
    logger.info('leadership ended', { lease: name })
  }

  /** One try to take or renew the lease. False when another holds it or the API cannot be reached. */
  async #tryAcquire(): Promise<boolean> {
    const { client, namespace, name, identity, clock, logger } = this.#options
    try {
      const lease = await client.get(leases, name, namespace).catch((error: unknown) => {
        if (isReason(error, 'NotFound')) return undefined
        throw error
      })
      const now = clock.now()
      const renewTime = formatMicroTime(now)
      const leaseDurationSeconds = Math.ceil(this.#leaseDurationMs / 1000)
      if (lease === undefined) {
        this.#lease = await client.create(leases, {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { name, namespace },
          spec: {
            holderIdentity: identity,
            leaseDurationSeconds,
            acquireTime: renewTime,
            renewTime,
            leaseTransitions: 0,
          },
        })
        return true
      }
      const resourceVersion = lease.metadata.resourceVersion ?? ''
      if (this.#observed?.resourceVersion !== resourceVersion) this.#observed = { resourceVersion, at: now }
      const holder = lease.spec?.holderIdentity ?? ''
      const mine = holder === identity
      const heldMs = (lease.spec?.leaseDurationSeconds ?? leaseDurationSeconds) * 1000
      if (!mine && holder !== '' && now - this.#observed.at < heldMs) return false
      const transitions = lease.spec?.leaseTransitions ?? 0
      this.#lease = await client.update(leases, {
        ...lease,
        spec: {
          ...lease.spec,
          holderIdentity: identity,
          leaseDurationSeconds,
          renewTime,
          acquireTime: mine ? lease.spec?.acquireTime : renewTime,
          leaseTransitions: mine ? transitions : transitions + 1,
        },
      })
      this.#observed = { resourceVersion: this.#lease.metadata.resourceVersion ?? '', at: now }
      return true
    } catch (error) {
      logger.debug('lease could not be taken or renewed', {
        message: error instanceof Error ? error.message : String(error),
      })
      return false
    }
  }

  async #release(): Promise<void> {
    if (this.#lease === undefined) return
    try {
      await this.#options.client.update(leases, {
        ...this.#lease,
        spec: { ...this.#lease.spec, holderIdentity: '', leaseDurationSeconds: 1 },
      })
    } catch (error) {
      this.#options.logger.debug('lease could not be given back', {
        message: error instanceof Error ? error.message : String(error),
      })
    }
  }
}
