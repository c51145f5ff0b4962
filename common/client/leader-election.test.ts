import { describe, expect, it } from 'vitest'
import type { Lease } from '../api/generated/types.ts'
import { silentLogger } from '../machinery/logger.ts'
import { alreadyExists, notFound, optimisticConflict } from '../machinery/status.ts'
import { createClient } from './create-client.ts'
import type { LeaderElector } from './leader-election.ts'
import { createLeaderElector } from './leader-election.ts'
import { createManualClock } from './testing/manual-clock.ts'
import type { ScriptedTransport } from './testing/scripted-transport.ts'
import { createScriptedTransport } from './testing/scripted-transport.ts'
import { ConnectionError } from './transport.ts'

const leases = { group: 'coordination.k8s.io', resource: 'leases' }

/** One lease with optimistic concurrency, as the API server keeps it. */
function serveLease(transport: ScriptedTransport): { reachable: boolean; lease: Lease | undefined } {
  const server = { reachable: true, lease: undefined as Lease | undefined }
  let version = 0
  const store = (lease: Lease): Lease => {
    version++
    server.lease = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(version) } }
    return server.lease
  }
  transport.answer = ({ method, body }) => {
    if (!server.reachable) throw new ConnectionError('no cable')
    if (method === 'GET') {
      if (server.lease === undefined) throw notFound(leases, 'leader')
      return server.lease
    }
    const lease = body as Lease
    if (method === 'POST') {
      if (server.lease !== undefined) throw alreadyExists(leases, 'leader')
      return store(lease)
    }
    if (lease.metadata.resourceVersion !== server.lease?.metadata.resourceVersion)
      throw optimisticConflict(leases, 'leader')
    return store(lease)
  }
  return server
}

function setUp() {
  const transport = createScriptedTransport()
  const server = serveLease(transport)
  const clock = createManualClock()
  const leading = new Set<string>()
  const elector = (identity: string): LeaderElector =>
    createLeaderElector({
      client: createClient(transport),
      namespace: 'kube-system',
      name: 'leader',
      identity,
      clock,
      logger: silentLogger,
      lead: (signal) =>
        new Promise((resolve) => {
          leading.add(identity)
          signal.addEventListener('abort', () => {
            leading.delete(identity)
            resolve()
          })
        }),
    })
  return { server, clock, leading, elector }
}

describe('leader election', () => {
  it('has one leader; the other takes over at once when it gives the lease back', async () => {
    const { clock, leading, elector, server } = setUp()
    const [a, b] = [elector('a'), elector('b')]
    a.start()
    await clock.advance(100)
    b.start()
    await clock.advance(60_000)
    expect([...leading]).toEqual(['a'])
    const stopped = a.stop()
    await clock.advance(100)
    await stopped
    expect(server.lease?.spec?.holderIdentity).not.toBe('a')
    await clock.advance(5_000)
    expect([...leading]).toEqual(['b'])
    expect(server.lease?.spec?.leaseTransitions).toBe(1)
    const ended = b.stop()
    await clock.advance(100)
    await ended
  })

  it('stops leading when it cannot renew, before another may start', async () => {
    const { clock, leading, elector, server } = setUp()
    const a = elector('a')
    a.start()
    await clock.advance(5_000)
    expect(a.isLeader).toBe(true)
    server.reachable = false
    await clock.advance(8_000)
    expect([...leading]).toEqual(['a'])
    await clock.advance(5_000)
    expect([...leading]).toEqual([])
    server.reachable = true
    await clock.advance(5_000)
    expect([...leading]).toEqual(['a'])
    const ended = a.stop()
    await clock.advance(100)
    await ended
  })

  it('takes the lease of a holder that has died after its time', async () => {
    const { clock, leading, elector, server } = setUp()
    const dead = elector('dead')
    dead.start()
    await clock.advance(3_000)
    // It dies without a word: its renewals stop.
    const frozen = server.lease
    const b = elector('b')
    expect(frozen?.spec?.holderIdentity).toBe('dead')
    const stopped = dead.stop()
    await clock.advance(100)
    await stopped
    server.lease = frozen
    b.start()
    await clock.advance(14_000)
    expect([...leading]).toEqual([])
    await clock.advance(5_000)
    expect([...leading]).toEqual(['b'])
    const ended = b.stop()
    await clock.advance(100)
    await ended
  })
})
