// The CRI configuration of one container.
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Container, Pod } from '../../../common/api/generated/types.ts'
import { NamespaceMode, type ContainerConfigSchema, type MountSchema } from '../../../build/generated/cri/api_pb.js'
import { annotations, labels } from '../runtime/labels.ts'
import { expand } from './expansion.ts'
import { containerHash } from './plan.ts'
import { containerResources, criResources, oomScoreAdjust } from './resources.ts'
import { namespaceOptions, seccompProfile, supplementalGroups } from './sandbox-config.ts'

export type MountInit = MessageInitShape<typeof MountSchema>

export interface ContainerConfigInput {
  pod: Pod
  container: Container
  attempt: number
  /** Resolved image reference as the runtime knows it. */
  imageRef: string
  environment: ReadonlyMap<string, string>
  mounts: readonly MountInit[]
  terminationMessageFile: string
  nodeMemoryBytes: number
  imageUser: ImageUser
  /** Id of the container whose process namespace it joins. */
  joins?: string
}

/** The user the image names: a number, a name, or neither (root). */
export interface ImageUser {
  uid?: bigint
  username: string
}

/** The image or the pod asks for root where that is forbidden; message as the kubelet's, shown as CreateContainerConfigError. */
export class SecurityError extends Error {
  override readonly name = 'SecurityError'
}

const maskedPaths = ['/proc/asound', '/proc/acpi', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list', '/proc/timer_stats', '/proc/sched_debug', '/proc/scsi', '/sys/firmware', '/sys/devices/virtual/powercap'] // prettier-ignore
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

export function containerConfig(input: ContainerConfigInput): MessageInitShape<typeof ContainerConfigSchema> {
  const { pod, container, attempt, environment } = input
  const { metadata } = pod
  const lookup = (name: string): string | undefined => environment.get(name)
  return {
    metadata: { name: container.name, attempt },
    image: { image: input.imageRef, userSpecifiedImage: container.image ?? '' },
    command: (container.command ?? []).map((word) => expand(word, lookup)),
    args: (container.args ?? []).map((word) => expand(word, lookup)),
    workingDir: container.workingDir ?? '',
    envs: [...environment].map(([key, value]) => ({ key, value })),
    mounts: [...input.mounts],
    labels: {
      [labels.containerName]: container.name,
      [labels.podName]: metadata.name ?? '',
      [labels.podNamespace]: metadata.namespace ?? '',
      [labels.podUid]: metadata.uid ?? '',
    },
    annotations: {
      [annotations.hash]: containerHash(container),
      [annotations.restartCount]: String(attempt),
      [annotations.terminationMessagePath]: container.terminationMessagePath ?? '/dev/termination-log',
      [annotations.terminationMessagePolicy]: container.terminationMessagePolicy ?? 'File',
      [annotations.terminationMessageFile]: input.terminationMessageFile,
    },
    logPath: `${container.name}/${String(attempt)}.log`,
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    linux: {
      resources: {
        ...criResources(containerResources(container)),
        oomScoreAdj: BigInt(oomScoreAdjust(pod, container, input.nodeMemoryBytes)),
        // A container is killed as a whole, not one process of it (the kubelet's default on cgroup v2).
        unified: { 'memory.oom.group': '1' },
      },
      securityContext: securityContext(input),
    },
  }
}

type SecurityInit = NonNullable<NonNullable<MessageInitShape<typeof ContainerConfigSchema>['linux']>['securityContext']>

function securityContext({ pod, container, imageUser, joins }: ContainerConfigInput): SecurityInit {
  const ofPod = pod.spec?.securityContext ?? {}
  const own = container.securityContext ?? {}
  const runAsUser = own.runAsUser ?? ofPod.runAsUser
  const runAsGroup = own.runAsGroup ?? ofPod.runAsGroup
  const privileged = own.privileged ?? false
  if ((own.runAsNonRoot ?? ofPod.runAsNonRoot) === true) verifyNonRoot(pod, container, runAsUser, imageUser)
  const user: Pick<SecurityInit, 'runAsUser' | 'runAsUsername'> =
    runAsUser !== undefined
      ? { runAsUser: { value: BigInt(runAsUser) } }
      : imageUser.uid !== undefined
        ? { runAsUser: { value: imageUser.uid } }
        : { runAsUsername: imageUser.username }
  const addsSysAdmin = (own.capabilities?.add ?? []).some((name) => name === 'SYS_ADMIN' || name === 'CAP_SYS_ADMIN')
  return {
    privileged,
    capabilities: { addCapabilities: own.capabilities?.add ?? [], dropCapabilities: own.capabilities?.drop ?? [] },
    namespaceOptions: {
      ...namespaceOptions(pod),
      ...(joins === undefined ? {} : { pid: NamespaceMode.TARGET, targetId: joins }),
    },
    ...user,
    ...(runAsGroup === undefined ? {} : { runAsGroup: { value: BigInt(runAsGroup) } }),
    readonlyRootfs: own.readOnlyRootFilesystem ?? false,
    supplementalGroups: supplementalGroups(ofPod),
    noNewPrivs: own.allowPrivilegeEscalation === false && !privileged && !addsSysAdmin,
    maskedPaths: own.procMount === 'Unmasked' || privileged ? [] : maskedPaths,
    readonlyPaths: own.procMount === 'Unmasked' || privileged ? [] : readonlyPaths,
    seccomp: seccompProfile(privileged ? { type: 'Unconfined' } : (own.seccompProfile ?? ofPod.seccompProfile)),
  }
}

function verifyNonRoot(pod: Pod, container: Container, runAsUser: number | undefined, image: ImageUser): void {
  const where = `(pod: "${podFormat(pod)}", container: ${container.name})`
  if (runAsUser === 0) throw new SecurityError(`container's runAsUser breaks non-root policy ${where}`)
  if (runAsUser !== undefined) return
  if (image.uid === 0n || (image.uid === undefined && image.username === ''))
    throw new SecurityError(`container has runAsNonRoot and image will run as root ${where}`)
  if (image.uid === undefined)
    throw new SecurityError(
      `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${where}`,
    )
}

/** "web-1_default(uid)", as the kubelet names pods in its messages. */
export const podFormat = (pod: Pod): string =>
  `${pod.metadata.name ?? ''}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid ?? ''})`
