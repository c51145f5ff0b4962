// Starts one container of a pod: back-off, image, environment, mounts, create, start, postStart. Each way it can fail has the waiting
// reason and the event that a kubelet gives it.
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { ConfigMap, Container, EphemeralContainer, Pod, Secret } from '../../../common/api/generated/types.ts'
import type { PodSandboxConfigSchema } from '../../../build/generated/cri/api_pb.js'
import { RuntimeService } from '../runtime/runtime.ts'
import type { ObservedPod } from '../runtime/observed.ts'
import { describeError } from '../logger.ts'
import { VolumeError } from '../volumes/projections.ts'
import { containerConfig, podFormat, SecurityError } from './container-config.ts'
import { containerEnvironment, EnvironmentError } from './environment.ts'
import { FieldPathError } from './field-path.ts'
import { hostsFile, podHostname } from './hosts-file.ts'
import { ImageError, type PulledImage } from './image-puller.ts'
import { explainStartError } from './image-reference.ts'
import { runHook } from './lifecycle-hooks.ts'
import { containerMounts } from './mounts.ts'
import { allContainerStatuses } from './pod-containers.ts'
import type { PodContext } from './pod-context.ts'
import type { PodEvent } from './pod-event.ts'
import { goDuration } from './restart-backoff.ts'
import { referencedNames } from '../volumes/referenced-objects.ts'

/** The container does not run; it waits with this reason and message and is tried again after `retryMs`. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly reason: string
  readonly retryMs: number | undefined
  constructor(reason: string, message: string, retryMs?: number) {
    super(message)
    this.reason = reason
    this.retryMs = retryMs
  }
}

export interface StartInput {
  context: PodContext
  pod: Pod
  container: Container | EphemeralContainer
  observed: ObservedPod
  sandboxId: string
  sandboxConfig: MessageInitShape<typeof PodSandboxConfigSchema>
  podIps: readonly string[]
  volumes: ReadonlyMap<string, string>
  event: PodEvent
  /** Aborted when the pod is to be stopped. */
  signal: AbortSignal
  nodeHosts: string
}

/** How long a failure that nothing announces the end of waits before the next try. */
const retryMs = 15_000
const postStartTimeoutMs = 600_000

/** Resolves with the container's id; rejects with StartError. */
export async function startContainer(input: StartInput): Promise<string> {
  const { context, pod, container, event, signal } = input
  const attempt = nextAttempt(input)
  checkBackoff(input)
  const image = await pullImage(input)
  signal.throwIfAborted()
  const id = await createContainer(input, attempt, image)
  event('Normal', 'Created', 'Container created', container)
  try {
    await context.runtime.call(RuntimeService.method.startContainer, { containerId: id }, { timeoutMs: 240_000 })
  } catch (error) {
    const message = explainStartError(container.image ?? '', describeError(error), context.config.arch)
    event('Warning', 'Failed', `Error: ${message}`, container)
    noteRestart(input)
    throw new StartError('RunContainerError', message, context.backoff.current(backoffKey(pod, container)))
  }
  event('Normal', 'Started', 'Container started', container)
  const handler = container.lifecycle?.postStart
  if (handler !== undefined) {
    try {
      await runHook({ runtime: context.runtime, container, containerId: id, handler, podIp: input.podIps[0] ?? '', timeoutMs: postStartTimeoutMs, signal }) // prettier-ignore
    } catch (error) {
      event('Warning', 'FailedPostStartHook', `PostStartHook failed: ${describeError(error)}`, container)
      await context.runtime.call(RuntimeService.method.stopContainer, { containerId: id, timeout: 2n })
      throw new StartError('PostStartHookError', 'PostStartHook failed')
    }
  }
  return id
}

function nextAttempt({ pod, container, observed }: StartInput): number {
  const newest = observed.containers.find(({ name }) => name === container.name)
  // A leftover that was created but never started is removed first and its number used again.
  if (newest !== undefined) return newest.state === 'created' ? newest.attempt : newest.attempt + 1
  const known = allContainerStatuses(pod).find(({ name }) => name === container.name)
  // The runtime forgot the container (a new disk); the API remembers that it ran.
  return known?.containerID === undefined ? 0 : known.restartCount + 1
}

export const backoffKey = (pod: Pod, container: Container): string =>
  `${pod.metadata.uid ?? ''}_${container.name}_${container.image ?? ''}`

function checkBackoff({ context, pod, container, observed, event }: StartInput): void {
  const ended = observed.containers.find(({ name, state }) => name === container.name && state === 'exited')
  if (ended === undefined) return
  const { backoff, clock } = context
  const key = backoffKey(pod, container)
  const now = clock.now()
  const remaining = backoff.remaining(key, ended.finishedAtMs, now)
  if (remaining > 0) {
    event(
      'Warning',
      'BackOff',
      `Back-off restarting failed container ${container.name} in pod ${podFormat(pod)}`,
      container,
    )
    const message = `back-off ${goDuration(backoff.current(key))} restarting failed container=${container.name} pod=${podFormat(pod)}`
    throw new StartError('CrashLoopBackOff', message, remaining)
  }
  backoff.next(key, ended.finishedAtMs, now)
}

/** A start that failed without a container that ended counts as a restart all the same. */
function noteRestart({ context, pod, container, observed }: StartInput): void {
  if (observed.containers.some(({ name, state }) => name === container.name && state === 'exited')) return
  const now = context.clock.now()
  context.backoff.next(backoffKey(pod, container), now, now)
}

async function pullImage({ context, pod, container, event, signal }: StartInput): Promise<PulledImage> {
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => { reject(new StartError('Aborted', 'the pod is being stopped')) }, { once: true }) // prettier-ignore
  })
  try {
    return await Promise.race([context.puller.ensure(pod, container, event), aborted])
  } catch (error) {
    if (error instanceof ImageError) throw new StartError(error.reason, error.message, error.retryMs ?? retryMs)
    if (error instanceof StartError) throw error
    const message = `Failed to inspect image "${container.image ?? ''}": ${describeError(error)}`
    event('Warning', 'InspectFailed', message, container)
    throw new StartError('ImageInspectError', message, retryMs)
  }
}

async function createContainer(input: StartInput, attempt: number, image: PulledImage): Promise<string> {
  const { context, pod, container, observed, event } = input
  const { runtime, config } = context
  try {
    const environment = await resolveEnvironment(input)
    const { mounts, terminationMessageFile } = await containerMounts({
      pod,
      container,
      volumes: input.volumes,
      environment,
      podFolder: context.volumes.podFolder(pod.metadata.uid ?? ''),
      hostsFile: hostsFile(pod, {
        podIps: input.podIps,
        hostName: podHostname(pod),
        domain: config.cluster.domain,
        nodeHosts: input.nodeHosts,
      }),
    })
    const leftover = observed.containers.find(({ name, state }) => name === container.name && state === 'created')
    if (leftover !== undefined) await runtime.call(RuntimeService.method.removeContainer, { containerId: leftover.id })
    const answer = await runtime.call(RuntimeService.method.createContainer, {
      podSandboxId: input.sandboxId,
      sandboxConfig: input.sandboxConfig,
      config: containerConfig({
        pod,
        container,
        attempt,
        imageRef: image.ref,
        imageUser: image.user,
        environment,
        mounts,
        terminationMessageFile,
        ...joinedContainer(input),
        nodeMemoryBytes: context.node().allocatable.memoryBytes,
      }),
    })
    return answer.containerId
  } catch (error) {
    const message = describeError(error)
    event('Warning', 'Failed', `Error: ${message}`, container)
    const isConfig =
      error instanceof EnvironmentError ||
      error instanceof FieldPathError ||
      error instanceof SecurityError ||
      error instanceof TargetError ||
      error instanceof VolumeError
    throw new StartError(isConfig ? 'CreateContainerConfigError' : 'CreateContainerError', message, retryMs)
  }
}

/** The container whose processes an ephemeral container is to see. */
function joinedContainer({ container, observed }: StartInput): { joins?: string } {
  const target = 'targetContainerName' in container ? (container.targetContainerName ?? '') : ''
  if (target === '') return {}
  const running = observed.containers.find(({ name, state }) => name === target && state === 'running')
  if (running === undefined) throw new TargetError(`unable to find target container "${target}"`)
  return { joins: running.id }
}

class TargetError extends Error {
  override readonly name = 'TargetError'
}

async function resolveEnvironment({ context, pod, container, podIps }: StartInput): Promise<Map<string, string>> {
  const namespace = pod.metadata.namespace ?? ''
  const names = referencedNames({ ...pod, spec: { containers: [container] } })
  const [configMaps, secrets] = await Promise.all([
    Promise.all([...names.configMaps].map(async (name): Promise<[string, ConfigMap | undefined]> => [name, await context.objects.configMap(namespace, name)])), // prettier-ignore
    Promise.all([...names.secrets].map(async (name): Promise<[string, Secret | undefined]> => [name, await context.objects.secret(namespace, name)])), // prettier-ignore
  ])
  const configMapOf = new Map(configMaps)
  const secretOf = new Map(secrets)
  return containerEnvironment({
    pod,
    container,
    node: context.node(),
    podIps: pod.spec?.hostNetwork === true ? context.node().addresses : podIps,
    services: context.services(),
    configMap: (name) => configMapOf.get(name),
    secret: (name) => secretOf.get(name),
  })
}
