// Several engines on one etcd: controllers and scheduler run in one of them, and each API server says by a lease that it lives.
// An engine with a store of its own is alone: it elects nobody.
import { hostname } from 'node:os'
import { createHash, randomUUID } from 'node:crypto'
import type { KubeClient } from '../../common/client/client.ts'
import { createEventRecorder } from '../../common/client/event-recorder.ts'
import { createLeaderElector, type LeaderElectorOptions } from '../../common/client/leader-election.ts'
import { leases } from '../../common/client/resources.ts'
import { type Clock, formatMicroTime } from '../../common/machinery/clock.ts'
import type { Logger } from '../../common/machinery/logger.ts'
import { isReason } from '../../common/machinery/status.ts'
import { CodedError } from './coded-error.ts'
import type { EngineOptions } from './options.ts'

const namespace = 'kube-system'
/** Upstream's: renewed often, believed for an hour. */
const identityRenewMs = 10_000
const identityLeaseSeconds = 3600
/** How far apart tries may be. */
const jitter = 1.2

export interface Part {
  stop(): Promise<void>
}

/** Throws CodedError for times with which two could lead at once. */
export function requireElectionTimes({ leaderElection = {} }: EngineOptions): void {
  const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2_000 } = leaderElection
  if (leaseDurationMs <= renewDeadlineMs)
    throw new CodedError(
      'BadArgument',
      'leaseDuration must be greater than renewDeadline',
      'Make --leader-elect-lease-duration longer than --leader-elect-renew-deadline.',
    )
  if (renewDeadlineMs <= retryPeriodMs * jitter)
    throw new CodedError(
      'BadArgument',
      'renewDeadline must be greater than retryPeriod*JitterFactor',
      'Make --leader-elect-renew-deadline longer than 1.2 times --leader-elect-retry-period.',
    )
}

export interface ElectedPartOptions {
  /** kube-controller-manager or kube-scheduler: the name of its lease. */
  readonly name: string
  readonly client: KubeClient
  readonly times: Pick<LeaderElectorOptions, 'leaseDurationMs' | 'renewDeadlineMs' | 'retryPeriodMs'>
  readonly clock: Clock
  readonly logger: Logger
}

/** Runs `start` while this engine is the leader of the part. */
export function startElected({ name, client, times, clock, logger }: ElectedPartOptions, start: () => Part): Part {
  const events = createEventRecorder({ client, component: name, clock, logger })
  const identity = `${hostname()}_${randomUUID()}`
  const elector = createLeaderElector({
    ...{ client, name, namespace, identity, clock, logger, ...times },
    async lead(signal) {
      const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name }
      events.event(lease, 'Normal', 'LeaderElection', `${identity} became leader`)
      const part = start()
      const ended = Promise.withResolvers<undefined>()
      signal.addEventListener('abort', () => {
        ended.resolve(undefined)
      })
      if (signal.aborted) ended.resolve(undefined)
      await ended.promise
      await part.stop()
    },
  })
  elector.start()
  return {
    async stop() {
      await elector.stop()
      await events.stop()
    },
  }
}

/** Keeps the lease apiserver-… of this server. Leases of servers that are gone are removed when their hour is over. */
export function startIdentityLease(options: {
  readonly client: KubeClient
  /** Tells the servers of one host apart. */
  readonly server: string
  readonly clock: Clock
  readonly logger: Logger
}): Part {
  const { client, server, clock, logger } = options
  const name = `apiserver-${createHash('sha256').update(`${hostname()}/${server}`).digest('hex').slice(0, 26)}`
  const holderIdentity = `${name}_${randomUUID()}`
  let stopped = false
  let cancel = (): void => undefined
  let working: Promise<void> = Promise.resolve()

  const renew = async (): Promise<void> => {
    const renewTime = formatMicroTime(clock.now())
    const spec = { holderIdentity, leaseDurationSeconds: identityLeaseSeconds, renewTime }
    const labels = { 'apiserver.kubernetes.io/identity': 'kube-apiserver', 'kubernetes.io/hostname': hostname() }
    const current = await client.get(leases, name, namespace).catch((error: unknown) => {
      if (isReason(error, 'NotFound')) return undefined
      throw error
    })
    if (current === undefined)
      await client.create(leases, {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name, namespace, labels },
        spec,
      })
    else await client.update(leases, { ...current, spec: { ...current.spec, ...spec } })
    if (current?.spec?.holderIdentity !== holderIdentity) await removeOld()
  }
  const removeOld = async (): Promise<void> => {
    const labelSelector = 'apiserver.kubernetes.io/identity=kube-apiserver'
    for (const { metadata, spec } of (await client.list(leases, { namespace, labelSelector })).items) {
      const { renewTime = '', leaseDurationSeconds = 0 } = spec ?? {}
      if (metadata.name !== undefined && Date.parse(renewTime) + leaseDurationSeconds * 1000 < clock.now())
        await client.delete(leases, metadata.name, namespace)
    }
  }
  const turn = (): void => {
    working = renew()
      .catch((error: unknown) => {
        logger.debug('the lease of this server was not renewed', { error })
      })
      .then(() => {
        if (!stopped) cancel = clock.after(identityRenewMs, turn)
      })
  }
  turn()
  return {
    async stop() {
      stopped = true
      cancel()
      await working
    },
  }
}
