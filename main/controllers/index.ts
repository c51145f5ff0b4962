// The list of controllers, and the one place that starts them.
import type { KubeClient } from '../../common/client/client.ts'
import { createClient } from '../../common/client/create-client.ts'
import type { Controller } from '../../common/client/controller.ts'
import type { EventRecorder } from '../../common/client/event-recorder.ts'
import { createEventRecorder } from '../../common/client/event-recorder.ts'
import type { SharedInformers } from '../../common/client/shared-informers.ts'
import { createSharedInformers } from '../../common/client/shared-informers.ts'
import type { Clock } from '../../common/machinery/clock.ts'
import type { Logger } from '../../common/machinery/logger.ts'
import { newDaemonSetController } from './daemon-set/index.ts'
import { newDeploymentController } from './deployment/index.ts'
import { newEndpointSliceController } from './endpoint-slices/index.ts'
import { newGarbageCollector } from './garbage-collector/index.ts'
import { newJobController } from './job/index.ts'
import { newNamespaceController } from './namespace/index.ts'
import { newNodeLifecycleController } from './node-lifecycle/index.ts'
import { newPodGcController } from './pod-gc/index.ts'
import { newReplicaSetController } from './replica-set/index.ts'
import type { ControllerDeps, ControllerFactory } from './runtime/deps.ts'
import { newServiceAccountController } from './service-account/index.ts'
import { newTaintEvictionController } from './taint-eviction/index.ts'

export type { ControllerDeps, ControllerFactory } from './runtime/deps.ts'

/** By folder name, which is also what `--controllers` takes. */
export const controllerFactories: Readonly<Record<string, ControllerFactory>> = {
  namespace: newNamespaceController,
  'service-account': newServiceAccountController,
  deployment: newDeploymentController,
  'replica-set': newReplicaSetController,
  'daemon-set': newDaemonSetController,
  job: newJobController,
  'endpoint-slices': newEndpointSliceController,
  'garbage-collector': newGarbageCollector,
  'node-lifecycle': newNodeLifecycleController,
  'taint-eviction': newTaintEvictionController,
  'pod-gc': newPodGcController,
}

export interface StartControllersOptions {
  /** The road to the API, as a user that may do everything the controllers do. Each controller's writes carry its own field manager. */
  client: KubeClient
  /** PEM of the cluster's CA. */
  clusterCA: string
  clock: Clock
  logger: Logger
  /**
   * Which to run, in upstream's notation: "*" all, "name" that one, "-name" not that one; the first that names a controller decides.
   * Default: all.
   */
  controllers?: readonly string[]
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

export function isEnabled(name: string, list: readonly string[] = ['*']): boolean {
  for (const item of list) {
    if (item === name) return true
    if (item === `-${name}`) return false
  }
  return list.includes('*')
}

/** Throws TypeError when the list names a controller that does not exist. */
export function startControllers(options: StartControllersOptions): RunningControllers {
  const { clock, logger, clusterCA } = options
  const { transport } = options.client
  const names = Object.keys(controllerFactories)
  for (const item of options.controllers ?? []) {
    const name = item.replace(/^-/, '')
    if (item !== '*' && !names.includes(name))
      throw new TypeError(`"${name}" is not a controller; there are ${names.join(', ')}`)
  }
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
    clock,
    logger,
    clusterCA,
  }
  const enabled = Object.entries(controllerFactories).filter(([name]) => isEnabled(name, options.controllers))
  const controllers = enabled.map(([, factory]) => factory(deps))
  const ready = Promise.all(controllers.map((controller) => controller.start())).then(() => undefined)
  // `stop` before ready is a normal end; who needs to know awaits `ready`.
  ready.catch(() => undefined)
  return {
    names: enabled.map(([name]) => name),
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
