// A pod as the runtime shows it, completed with what its containers left behind; and the removal of containers nobody needs any more.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod } from '../../../common/api/generated/types.ts'
import { guestPaths, type GuestArch } from '../../../common/channel/guest-config.ts'
import type { ObservedContainer, ObservedPod } from '../runtime/observed.ts'
import { RuntimeService, type Runtime } from '../runtime/runtime.ts'
import { describeError } from '../logger.ts'
import { explainStartError } from './image-reference.ts'
import type { PodContext } from './pod-context.ts'
import { terminationMessage } from './termination-message.ts'

export const podLogDirectory = (pod: Pod): string =>
  join(guestPaths.podLogs, `${pod.metadata.namespace ?? ''}_${pod.metadata.name ?? ''}_${pod.metadata.uid ?? ''}`)

export async function observeWithMessages(runtime: Runtime, uid: string, arch: GuestArch): Promise<ObservedPod> {
  const observed = await runtime.observe(uid)
  return {
    ...observed,
    containers: await Promise.all(observed.containers.map((container) => withMessage(container, arch))),
  }
}

async function withMessage(container: ObservedContainer, arch: GuestArch): Promise<ObservedContainer> {
  if (container.state !== 'exited') return container
  const message = await terminationMessage({
    file: container.terminationMessageFile,
    policy: container.terminationMessagePolicy,
    failed: container.exitCode !== 0,
    logPath: container.logPath,
    runtimeMessage: container.message,
    explain: (failure) => explainStartError(container.image, failure, arch),
  })
  return { ...container, message }
}

/** Keeps the newest instance of each container and the one before (last state, previous log); removes older ones and old sandboxes. */
export async function removeSupersededContainers(context: PodContext, pod: Pod, observed: ObservedPod): Promise<void> {
  const { runtime, logger } = context
  const seen = new Map<string, number>()
  const kept = new Set<string>()
  try {
    for (const container of observed.containers) {
      const count = (seen.get(container.name) ?? 0) + 1
      seen.set(container.name, count)
      if (count <= 2 || container.state === 'running') {
        kept.add(container.sandboxId)
        continue
      }
      await runtime.call(RuntimeService.method.removeContainer, { containerId: container.id })
      await rm(container.logPath, { force: true })
    }
    for (const sandbox of observed.sandboxes.slice(1))
      if (!kept.has(sandbox.id))
        await runtime.call(RuntimeService.method.removePodSandbox, { podSandboxId: sandbox.id })
  } catch (error) {
    // Tried again after the next restart of a container.
    logger.debug('old containers could not be removed', { pod: pod.metadata.name, error: describeError(error) })
  }
}
