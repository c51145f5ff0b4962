// The part of the engine that touches the host: machines, their LAN, the image registry. Made before the API server (its subresources
// are routes of it), run after it.
import { arch as hostArch } from 'node:os'
import { readFile } from 'node:fs/promises'
import type { KubeClient } from '../../common/client/client.ts'
import { createEventRecorder } from '../../common/client/event-recorder.ts'
import { createInformer } from '../../common/client/create-informer.ts'
import { labs, machines, nodes } from '../../common/client/resources.ts'
import type { Clock } from '../../common/machinery/clock.ts'
import type { Logger } from '../../common/machinery/logger.ts'
import type { ConnectSubresource } from '../apiserver/apiserver.ts'
import type { ChannelHub } from '../channel/channel-hub.ts'
import { createImageController, importSubresource } from '../lab/images/index.ts'
import { createHostPreparation } from '../lab/machines/host-facts.ts'
import { createMachineController } from '../lab/machines/index.ts'
import type { LabNetwork } from '../lab/machines/deps.ts'
import { createQemuDriver } from '../lab/machines/qemu-driver.ts'
import { consoleSubresource } from '../lab/machines/console-subresource.ts'
import { shellSubresource } from '../lab/machines/shell-subresource.ts'
import { startSwitch } from '../network/switch.ts'
import type { LabPki } from '../pki/pki-files.ts'
import { openRegistry, type Registry } from '../registry/registry.ts'
import { imageSource } from './image-source.ts'
import type { EngineOptions } from './options.ts'
import type { HomePaths } from './paths.ts'
import { programFiles } from './program-files.ts'
import type { StopOptions } from './shutdown.ts'

/** What every pod's sandbox runs; preloaded in the node image. */
const pauseImage = 'registry.k8s.io/pause:3.10'
/** Guest loopback port on which the node agent serves this registry to containerd. */
const guestRegistryPort = 5000
/** Guests stop their pods and unmount in a few seconds; twice their grace, then they are cut. */
const powerOffDeadlineMs = 60_000

export interface LabOptions {
  options: EngineOptions
  paths: HomePaths
  pki: LabPki
  hub: ChannelHub
  network: LabNetwork
  logger: Logger
  clock: Clock
}

export interface RunningLab {
  readonly registry: Registry
  readonly subresources: readonly ConnectSubresource[]
  /** Starts the controllers; machines of the store are adopted or booted. */
  run(client: KubeClient): void
  stop(options: StopOptions): Promise<void>
}

export async function startLab({ options, paths, pki, hub, network, logger, clock }: LabOptions): Promise<RunningLab> {
  const registry = await openRegistry({ folder: paths.registry, logger: logger.child({ part: 'registry' }) })
  const images = imageSource(options.cache)
  const lan = startSwitch({
    socketPath: (name) => paths.machine(name).lanSocket,
    logger: logger.child({ part: 'switch' }),
    ...(programFiles.switchWorker ? { workerUrl: programFiles.switchWorker } : {}),
  })
  const host = createHostPreparation({
    images,
    hostArch: hostArch() === 'arm64' ? 'arm64' : 'amd64',
    acceleratorCache: paths.accelerators,
  })
  const driver = createQemuDriver({
    paths,
    host,
    lan,
    channel: hub,
    clock,
    logger: logger.child({ part: 'machines' }),
    supplies: {
      issueAgentCertificate: async ({ name }) => ({
        ...(await pki.issueAgentCertificate(name)),
        ca: pki.authority.cert,
      }),
      agentBundle: () => readFile(programFiles.agent),
      network,
      pauseImage,
      registryPort: guestRegistryPort,
    },
  })
  const stopping = new AbortController()
  let running: { stopControllers(): Promise<void>; powerOffAll(): Promise<void> } | undefined

  /** Images that come with Orrery are in the registry a moment after the start; a pod that wants one earlier backs off and gets it. */
  const addBuiltInImages = async (): Promise<void> => {
    try {
      for (const folder of await images.containerLayouts({ signal: stopping.signal })) await registry.addLayout(folder)
    } catch (error) {
      if (!stopping.signal.aborted) logger.error('built-in images could not be added', { error })
    }
  }

  return {
    registry,
    subresources: [consoleSubresource(driver), shellSubresource(hub), importSubresource(registry)],
    run(client) {
      const informer = { client, logger, clock }
      const watched = {
        machines: createInformer({ ...informer, resource: machines }),
        labs: createInformer({ ...informer, resource: labs }),
        nodes: createInformer({ ...informer, resource: nodes }),
      }
      const events = createEventRecorder({ client, component: 'orrery', clock, logger })
      const machineController = createMachineController({
        client,
        ...watched,
        driver,
        ranges: network,
        events,
        clock,
        logger: logger.child({ part: 'machines' }),
      })
      const imageController = createImageController({
        client,
        registry,
        clock,
        logger: logger.child({ part: 'images' }),
      })
      for (const each of Object.values(watched)) each.start()
      for (const controller of [machineController, imageController]) {
        controller.start().catch((error: unknown) => {
          logger.error('a lab controller did not start', { error })
        })
      }
      void addBuiltInImages()
      running = {
        powerOffAll: () => machineController.powerOffAll({ timeoutMs: powerOffDeadlineMs }),
        async stopControllers() {
          await Promise.all([machineController.stop(), imageController.stop()])
          for (const each of Object.values(watched)) each.stop()
          await events.stop()
        },
      }
    },
    async stop({ machines: wish }) {
      stopping.abort()
      if (wish === 'stop') {
        await running?.powerOffAll().catch((error: unknown) => {
          logger.error('machines did not power off in time', { error })
        })
      }
      await running?.stopControllers()
      await driver.release()
      await lan.stop()
    },
  }
}
