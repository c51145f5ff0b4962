// The one place that starts controllers.
import type { KubeClient } from '../../common/client/client.ts'
import { createClient } from '../../common/client/create-client.ts'
import type { Controller } from '../../common/client/controller.ts'
import type { EventRecorder } from '../../common/client/event-recorder.ts'
import { createEventRecorder } from '../../common/client/event-recorder.ts'
import type { SharedInformers } from '../../common/client/shared-informers.ts'
import { createSharedInformers } from '../../common/client/shared-informers.ts'
import type { Clock } from '../../common/machinery/clock.ts'
import type { Logger } from '../../common/machinery/logger.ts'
import { selectControllers } from './list.ts'
import type { ControllerDeps } from './runtime/deps.ts'
import { type ControllerSettings, defaultSettings } from './runtime/settings.ts'
import type { ClusterSigner } from './runtime/signer.ts'

export type { ControllerDeps, ControllerFactory } from './runtime/deps.ts'
export type { ClusterSigner, RequestedIdentity } from './runtime/signer.ts'

export { type ControllerSettings, defaultSettings } from './runtime/settings.ts'
export type { ControllerEntry } from './list.ts'
export { controllerList, selectControllers } from './list.ts'

export interface StartControllersOptions {
  /** The road to the API, as a user that may do everything the controllers do. Each controller's writes carry its own field manager. */
  client: KubeClient
  /** PEM of the cluster's CA. */
  clusterCA: string
  /** Without it nothing is signed: no certificates, no tokens in secrets. */
  signer?: ClusterSigner
  policyWarnings?: ControllerDeps['policyWarnings']
  clock: Clock
  logger: Logger
  /** Which to run, in the notation of `selectControllers`. Default: all that are on by default. */
  controllers?: readonly string[]
  /** Upstream's defaults where absent. */
  settings?: Partial<ControllerSettings>
  /** Made and stopped here when absent. */
  informers?: SharedInformers
}

export interface RunningControllers {
  /** Names of those that run. */
  readonly names: readonly string[]
  readonly controllers: readonly Controller[]
  readonly informers: SharedInformers
  /** All caches are filled and all workers run. */
  readonly ready: Promise<void>
  stop(): Promise<void>
}

/** Throws TypeError when the list names a controller that does not exist. */
export function startControllers(options: StartControllersOptions): RunningControllers {
  const { clock, logger, clusterCA } = options
  const { transport } = options.client
  const enabled = selectControllers(options.controllers)
  const informers = options.informers ?? createSharedInformers({ client: createClient(transport), logger, clock })
  const recorders = new Map<string, EventRecorder>()
  const deps: ControllerDeps = {
    client: (fieldManager) => createClient(transport, { fieldManager }),
    informers,
    events(component) {
      let recorder = recorders.get(component)
      if (recorder === undefined) {
        recorder = createEventRecorder({
          client: createClient(transport, { fieldManager: component }),
          component,
          clock,
          logger,
        })
        recorders.set(component, recorder)
      }
      return recorder
    },
    settings: { ...defaultSettings, ...options.settings },
    clock,
    logger,
    clusterCA,
    signer: options.signer,
    policyWarnings: options.policyWarnings,
  }
  const controllers = enabled.map(({ create }) => create(deps))
  const ready = Promise.all(controllers.map((controller) => controller.start())).then(() => undefined)
  // `stop` before ready is a normal end; who needs to know awaits `ready`.
  ready.catch(() => undefined)
  return {
    names: enabled.map(({ name }) => name),
    controllers,
    informers,
    ready,
    async stop() {
      // Starting controllers wait for caches: stopping the informers releases them.
      if (options.informers === undefined) informers.stop()
      await Promise.all(controllers.map((controller) => controller.stop()))
      await Promise.all([...recorders.values()].map((recorder) => recorder.stop()))
    },
  }
}
