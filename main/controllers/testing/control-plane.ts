// A real API server over the in-memory store, for tests of controllers and the scheduler. No HTTP, no engine.
import { generateKeyPairSync } from 'node:crypto'
import type { KubeClient } from '../../../common/client/client.ts'
import { createClient } from '../../../common/client/create-client.ts'
import type { Transport } from '../../../common/client/transport.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import { systemClock } from '../../../common/machinery/clock.ts'
import { silentLogger } from '../../../common/machinery/logger.ts'
import { serviceUnavailable } from '../../../common/machinery/status.ts'
import { createApiServer } from '../../apiserver/index.ts'
import type { ApiServer } from '../../apiserver/apiserver.ts'
import { builtinKinds } from '../../kinds/index.ts'
import { createMemoryStore } from '../../store/memory/index.ts'

export interface TestControlPlane {
  readonly api: ApiServer
  readonly transport: Transport
  /** As a member of system:masters. */
  readonly client: KubeClient
  /** Signs service account tokens for this server. */
  readonly serviceAccountPem: string
  close(): Promise<void>
}

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const serviceAccountPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

export async function startTestControlPlane(clock: Clock = systemClock): Promise<TestControlPlane> {
  const store = createMemoryStore()
  const api = createApiServer({
    store,
    kinds: builtinKinds,
    // Nodes of these tests are ready when they say so: nothing here would lift the taint of new nodes.
    admissionPlugins: { disable: ['TaintNodesByCondition'] },
    cluster: {
      serviceCIDRs: ['10.96.0.0/16'],
      nodePortRange: { from: 30000, to: 32767 },
      clusterDomain: 'cluster.local',
    },
    nodes: { isConnected: () => false, request: () => Promise.reject(serviceUnavailable('there are no nodes here')) },
    connects: [],
    logger: silentLogger,
    clock,
    // Nothing listens: the in-process transport needs no certificate.
    tls: { cert: '', key: '', clientCa: '' },
    serviceAccountKey: {
      privatePem: serviceAccountPem,
      publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      issuer: 'https://kubernetes.default.svc.cluster.local',
    },
    tokens: new Map(),
    allowedHosts: [],
  })
  await api.ready
  const transport = api.transport({ name: 'test', groups: ['system:masters'] })
  const client = createClient(transport, { fieldManager: 'test' })
  return {
    api,
    transport,
    client,
    serviceAccountPem,
    async close() {
      await api.close()
      await store.close()
    },
  }
}
