// An API server with some controllers running, for reconcile tests.
import type { Clock } from '../../../common/machinery/clock.ts'
import { systemClock } from '../../../common/machinery/clock.ts'
import { silentLogger } from '../../../common/machinery/logger.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import { clusterSigner } from '../../engine/cluster-signer.ts'
import { createAuthority } from '../../pki/certificates.ts'
import type { ControllerSettings, RunningControllers } from '../index.ts'
import { startControllers } from '../index.ts'
import type { TestControlPlane } from './control-plane.ts'
import { startTestControlPlane } from './control-plane.ts'

export interface TestControllers {
  readonly plane: TestControlPlane
  readonly client: KubeClient
  readonly controllers: RunningControllers
  stop(): Promise<void>
}

/** One for all tests of a file: making keys takes time. */
const authority = createAuthority('test-ca')

export async function startTestControllers(
  controllerNames: readonly string[],
  clock: Clock = systemClock,
  settings: Partial<ControllerSettings> = {},
): Promise<TestControllers> {
  const plane = await startTestControlPlane(clock)
  const controllers = startControllers({
    client: plane.client,
    clock,
    settings,
    logger: silentLogger,
    clusterCA: 'the CA',
    signer: clusterSigner({ authority: await authority, serviceAccountPem: plane.serviceAccountPem }),
    policyWarnings: (policy) => plane.api.policyWarnings(policy),
    controllers: controllerNames,
  })
  await controllers.ready
  return {
    plane,
    client: plane.client,
    controllers,
    async stop() {
      await controllers.stop()
      await plane.close()
    },
  }
}
