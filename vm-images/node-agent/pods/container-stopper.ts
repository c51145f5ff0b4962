// Stops containers gracefully: Killing event, preStop within the grace period, then the stop signal, then SIGKILL.
import type { Container, Pod } from '../../../common/api/generated/types.ts'
import type { ObservedContainer, ObservedPod } from '../runtime/observed.ts'
import { RuntimeService, goneAsUndefined } from '../runtime/runtime.ts'
import { describeError } from '../logger.ts'
import { runHook } from './lifecycle-hooks.ts'
import { isSidecar } from './plan.ts'
import { allContainers } from './pod-containers.ts'
import type { PodContext } from './pod-context.ts'
import type { PodEvent } from './pod-event.ts'

/** Even with no grace left the signal gets this long, as a kubelet gives it. */
const minimumGraceSeconds = 2

export interface StopInput {
  context: PodContext
  pod: Pod
  podIp: string
  event: PodEvent
  /** Aborted when the grace period has been shortened: hooks end at once. */
  signal?: AbortSignal
}

export async function stopContainer(
  input: StopInput,
  running: ObservedContainer,
  options: { graceSeconds: number; message: string },
): Promise<void> {
  const { context, pod, event, signal } = input
  const { clock, runtime } = context
  const container = findContainer(pod, running.name)
  event('Normal', 'Killing', options.message, container)
  const startedAt = clock.now()
  const handler = container?.lifecycle?.preStop
  if (handler !== undefined && container !== undefined && options.graceSeconds > 0) {
    try {
      const timeoutMs = options.graceSeconds * 1000
      const aborted = new Promise<void>((resolve) => {
        const cancel = clock.after(timeoutMs, resolve)
        signal?.addEventListener('abort', () => {
          cancel()
          resolve()
        })
      })
      const hook = runHook({ runtime, container, containerId: running.id, handler, podIp: input.podIp, timeoutMs, signal }) // prettier-ignore
      await Promise.race([hook, aborted])
      hook.catch(() => undefined)
    } catch (error) {
      event('Warning', 'FailedPreStopHook', `PreStopHook failed: ${describeError(error)}`, container)
    }
  }
  const left = Math.max(minimumGraceSeconds, options.graceSeconds - Math.floor((clock.now() - startedAt) / 1000))
  const grace = signal?.aborted === true ? minimumGraceSeconds : left
  await goneAsUndefined(
    runtime.call(
      RuntimeService.method.stopContainer,
      { containerId: running.id, timeout: BigInt(grace) },
      { timeoutMs: (grace + 120) * 1000 },
    ),
  )
}

/** All containers of the pod: regular ones together, then sidecars in the reverse order of their start. */
export async function stopAllContainers(input: StopInput, observed: ObservedPod, graceSeconds: number): Promise<void> {
  const deadline = input.context.clock.now() + graceSeconds * 1000
  const running = observed.containers.filter(({ state }) => state === 'running' || state === 'unknown')
  const inits = input.pod.spec?.initContainers ?? []
  const sidecars = inits.filter(isSidecar).map(({ name }) => name)
  const stop = (container: ObservedContainer): Promise<void> =>
    stopContainer(input, container, {
      graceSeconds: Math.max(0, Math.ceil((deadline - input.context.clock.now()) / 1000)),
      message: `Stopping container ${container.name}`,
    })
  await Promise.all(running.filter(({ name }) => !sidecars.includes(name)).map(stop))
  for (const name of sidecars.reverse()) {
    const sidecar = running.find((container) => container.name === name)
    if (sidecar !== undefined) await stop(sidecar)
  }
}

const findContainer = (pod: Pod, name: string): Container | undefined =>
  allContainers(pod).find((container) => container.name === name)
