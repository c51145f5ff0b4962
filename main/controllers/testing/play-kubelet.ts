// Plays all kubelets of a test at once: placed pods start running and ready with an address, deleted ones end.
import { pods } from '../../../common/client/resources.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import type { Pod } from '../../../common/api/generated/types.ts'
import { createInformer } from '../../../common/client/create-informer.ts'
import { silentLogger } from '../../../common/machinery/logger.ts'
import { systemClock } from '../../../common/machinery/clock.ts'
import { reportPod } from './objects.ts'

export interface PlayedKubelets {
  /** Pods for which this returns false never become ready. */
  isHealthy: (pod: Pod) => boolean
  stop(): Promise<void>
}

export function playKubelets(client: KubeClient): PlayedKubelets {
  const informer = createInformer({ client, resource: pods, logger: silentLogger, clock: systemClock })
  const handled = new Set<string>()
  const running = new Set<Promise<unknown>>()
  let addresses = 0
  const played: PlayedKubelets = {
    isHealthy: () => true,
    async stop() {
      informer.stop()
      await Promise.all(running)
    },
  }
  const track = (work: Promise<unknown>): void => {
    // A pod that changed or went meanwhile comes round again by its next event.
    const done = work.catch(() => undefined).finally(() => running.delete(done))
    running.add(done)
  }
  const act = (pod: Pod): void => {
    const { name = '', namespace, uid = '', deletionTimestamp } = pod.metadata
    if ((pod.spec?.nodeName ?? '') === '') return
    if (deletionTimestamp !== undefined) {
      if (!handled.has(`${uid}-`)) {
        handled.add(`${uid}-`)
        track(client.delete(pods, name, namespace, { gracePeriodSeconds: 0 }))
      }
      return
    }
    if (handled.has(uid)) return
    handled.add(uid)
    addresses++
    const podIP = `10.244.${String(addresses >> 8)}.${String(addresses & 255)}`
    track(reportPod(client, pod, { ready: played.isHealthy(pod), podIP }))
  }
  informer.subscribe({ onAdd: act, onUpdate: act })
  informer.start()
  return played
}
