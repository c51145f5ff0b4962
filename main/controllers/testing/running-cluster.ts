// A control plane with its controllers, its scheduler and played kubelets on nodes of its own, for tests of whole reconciles.
import type { Node } from '../../../common/api/generated/types.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import { systemClock } from '../../../common/machinery/clock.ts'
import { silentLogger } from '../../../common/machinery/logger.ts'
import { newDeviceSelector } from '../../apiserver/cel/device-selector.ts'
import { startScheduler } from '../../scheduler/index.ts'
import { startControllers } from '../index.ts'
import { startTestControlPlane } from './control-plane.ts'
import { addNode, testNode } from './objects.ts'
import type { PlayedKubelets } from './play-kubelet.ts'
import { playKubelets } from './play-kubelet.ts'

export interface RunningCluster {
  readonly client: KubeClient
  readonly kubelets: PlayedKubelets
  stop(): Promise<void>
}

export interface ClusterOptions {
  nodes?: readonly Node[]
  /** Names as `--controllers` takes them. Default: all. */
  controllers?: readonly string[]
  clock?: Clock
}

export async function startTestCluster(options: ClusterOptions = {}): Promise<RunningCluster> {
  const { clock = systemClock, nodes = [testNode('node-1'), testNode('node-2')] } = options
  const plane = await startTestControlPlane(clock)
  const common = { client: plane.client, clock, logger: silentLogger }
  const controllers = startControllers({ ...common, clusterCA: '', controllers: options.controllers })
  const scheduler = startScheduler({ ...common, deviceSelector: newDeviceSelector() })
  const kubelets = playKubelets(plane.client)
  for (const node of nodes) await addNode(plane.client, node)
  await Promise.all([controllers.ready, scheduler.ready])
  return {
    client: plane.client,
    kubelets,
    async stop() {
      await Promise.all([controllers.stop(), scheduler.stop(), kubelets.stop()])
      await plane.close()
    },
  }
}
