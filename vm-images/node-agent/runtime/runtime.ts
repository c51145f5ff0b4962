// The container runtime as the agent uses it: CRI calls by method descriptor, the state of one pod in plain values, events.
import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import {
  ContainerState as CriContainerState,
  ImageService,
  PodSandboxState,
  RuntimeService,
  type ContainerEventResponse,
  type ContainerStatus,
} from '../../../build/generated/cri/api_pb.js'
import { GrpcChannel, GrpcError, grpcCode, type CallOptions } from './grpc-channel.ts'
import { annotations, labels } from './labels.ts'
import type { ContainerState, ObservedContainer, ObservedPod, ObservedSandbox } from './observed.ts'

export { ImageService, RuntimeService }

const stateNames: Record<CriContainerState, ContainerState> = {
  [CriContainerState.CONTAINER_CREATED]: 'created',
  [CriContainerState.CONTAINER_RUNNING]: 'running',
  [CriContainerState.CONTAINER_EXITED]: 'exited',
  [CriContainerState.CONTAINER_UNKNOWN]: 'unknown',
}
const toMs = (nanoseconds: bigint): number => Number(nanoseconds / 1_000_000n)

export interface PodIdentity {
  readonly uid: string
  readonly name: string
  readonly namespace: string
}

export class Runtime {
  readonly #channel: GrpcChannel

  constructor(socketPath: string) {
    this.#channel = new GrpcChannel(socketPath)
  }

  call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options?: CallOptions,
  ): Promise<MessageShape<O>> {
    return this.#channel.unary(method, request, options)
  }

  events(signal: AbortSignal): AsyncGenerator<ContainerEventResponse> {
    return this.#channel.serverStream(RuntimeService.method.getContainerEvents, {}, signal)
  }

  /** Every pod that has at least one sandbox, running or not. */
  async listPods(): Promise<PodIdentity[]> {
    const { items } = await this.call(RuntimeService.method.listPodSandbox, {})
    const found = new Map<string, PodIdentity>()
    for (const { metadata, labels: own } of items)
      if (metadata !== undefined && labels.podUid in own)
        found.set(metadata.uid, { uid: metadata.uid, name: metadata.name, namespace: metadata.namespace })
    return [...found.values()]
  }

  async observe(uid: string): Promise<ObservedPod> {
    const labelSelector = { [labels.podUid]: uid }
    const [sandboxes, containers] = await Promise.all([
      this.call(RuntimeService.method.listPodSandbox, { filter: { labelSelector } }),
      this.call(RuntimeService.method.listContainers, { filter: { labelSelector } }),
    ])
    const [observedSandboxes, observedContainers] = await Promise.all([
      Promise.all(sandboxes.items.map(({ id }) => this.#observeSandbox(id))),
      Promise.all(containers.containers.map(({ id, podSandboxId }) => this.#observeContainer(id, podSandboxId))),
    ])
    const identity = sandboxes.items[0]?.metadata
    return {
      uid,
      name: identity?.name ?? '',
      namespace: identity?.namespace ?? '',
      sandboxes: observedSandboxes.filter((found) => found !== undefined).sort((a, b) => b.createdAtMs - a.createdAtMs),
      containers: observedContainers
        .filter((found) => found !== undefined)
        .sort((a, b) => b.createdAtMs - a.createdAtMs),
    }
  }

  close(): void {
    this.#channel.close()
  }

  async #observeSandbox(id: string): Promise<ObservedSandbox | undefined> {
    const answer = await goneAsUndefined(this.call(RuntimeService.method.podSandboxStatus, { podSandboxId: id }))
    const status = answer?.status
    if (status === undefined) return undefined
    const { network } = status
    const ips =
      network === undefined || network.ip === '' ? [] : [network.ip, ...network.additionalIps.map(({ ip }) => ip)]
    return {
      id,
      attempt: status.metadata?.attempt ?? 0,
      ready: status.state === PodSandboxState.SANDBOX_READY,
      createdAtMs: toMs(status.createdAt),
      ips,
    }
  }

  async #observeContainer(id: string, sandboxId: string): Promise<ObservedContainer | undefined> {
    const answer = await goneAsUndefined(this.call(RuntimeService.method.containerStatus, { containerId: id }))
    return answer?.status === undefined ? undefined : observedContainer(answer.status, sandboxId)
  }
}

function observedContainer(status: ContainerStatus, sandboxId: string): ObservedContainer {
  return {
    id: status.id,
    name: status.metadata?.name ?? '',
    sandboxId,
    attempt: status.metadata?.attempt ?? 0,
    state: stateNames[status.state],
    createdAtMs: toMs(status.createdAt),
    startedAtMs: toMs(status.startedAt),
    finishedAtMs: toMs(status.finishedAt),
    exitCode: status.exitCode,
    reason: status.reason,
    message: status.message,
    image: status.image?.image ?? '',
    imageId: status.imageRef,
    hash: status.annotations[annotations.hash] ?? '',
    ...observedResources(status),
    logPath: status.logPath,
    terminationMessageFile: status.annotations[annotations.terminationMessageFile] ?? '',
    terminationMessagePolicy: status.annotations[annotations.terminationMessagePolicy] ?? 'File',
  }
}

function observedResources({ resources }: ContainerStatus): Pick<ObservedContainer, 'resources'> {
  const linux = resources?.linux
  if (linux === undefined) return {}
  return {
    resources: {
      cpuShares: Number(linux.cpuShares),
      cpuQuotaUs: Number(linux.cpuQuota),
      memoryLimitBytes: Number(linux.memoryLimitInBytes),
    },
  }
}

/** Something listed a moment ago may be removed by now: that is an answer, not a failure. */
export async function goneAsUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof GrpcError && error.code === grpcCode.notFound) return undefined
    throw error
  }
}
