// The CRI configuration of a pod's sandbox.
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Pod, PodSecurityContext } from '../../../common/api/generated/types.ts'
import {
  NamespaceMode,
  SecurityProfile_ProfileType,
  type NamespaceOptionSchema,
  type PodSandboxConfigSchema,
  type SecurityProfileSchema,
} from '../../../build/generated/cri/api_pb.js'
import { labels } from '../runtime/labels.ts'
import type { DnsSettings } from './hosts-file.ts'
import { podCgroup } from './resources.ts'

export interface SandboxConfigInput {
  pod: Pod
  attempt: number
  hostname: string
  dns: DnsSettings
  logDirectory: string
}

export function sandboxConfig(input: SandboxConfigInput): MessageInitShape<typeof PodSandboxConfigSchema> {
  const { pod, attempt, hostname, dns } = input
  const { metadata, spec } = pod
  const { uid = '', name = '', namespace = '' } = metadata
  const security: PodSecurityContext = spec?.securityContext ?? {}
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]
  const hostNetwork = spec?.hostNetwork === true
  return {
    metadata: { uid, name, namespace, attempt },
    // A pod on the host's network has the node's own name.
    hostname: hostNetwork ? '' : hostname,
    logDirectory: input.logDirectory,
    dnsConfig: dns,
    labels: { ...metadata.labels, [labels.podName]: name, [labels.podNamespace]: namespace, [labels.podUid]: uid },
    annotations: metadata.annotations ?? {},
    linux: {
      cgroupParent: podCgroup(pod).path,
      sysctls: Object.fromEntries((security.sysctls ?? []).map((sysctl) => [sysctl.name, sysctl.value])),
      securityContext: {
        namespaceOptions: namespaceOptions(pod),
        privileged: containers.some(({ securityContext }) => securityContext?.privileged === true),
        supplementalGroups: supplementalGroups(security),
        ...(security.runAsUser === undefined ? {} : { runAsUser: { value: BigInt(security.runAsUser) } }),
        // CRI takes a group only together with a user.
        ...(security.runAsGroup === undefined || security.runAsUser === undefined
          ? {}
          : { runAsGroup: { value: BigInt(security.runAsGroup) } }),
        seccomp: seccompProfile(security.seccompProfile),
      },
    },
  }
}

export function namespaceOptions(pod: Pod): MessageInitShape<typeof NamespaceOptionSchema> {
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace } = pod.spec ?? {}
  return {
    network: hostNetwork === true ? NamespaceMode.NODE : NamespaceMode.POD,
    ipc: hostIPC === true ? NamespaceMode.NODE : NamespaceMode.POD,
    pid:
      hostPID === true
        ? NamespaceMode.NODE
        : shareProcessNamespace === true
          ? NamespaceMode.POD
          : NamespaceMode.CONTAINER,
  }
}

export function supplementalGroups(security: PodSecurityContext): bigint[] {
  return [...(security.supplementalGroups ?? []), ...(security.fsGroup === undefined ? [] : [security.fsGroup])].map(
    BigInt,
  )
}

/** Without a profile the kubelet's default is Unconfined. */
export function seccompProfile(
  profile: PodSecurityContext['seccompProfile'],
): MessageInitShape<typeof SecurityProfileSchema> {
  switch (profile?.type) {
    case 'RuntimeDefault':
      return { profileType: SecurityProfile_ProfileType.RuntimeDefault }
    case 'Localhost':
      return {
        profileType: SecurityProfile_ProfileType.Localhost,
        localhostRef: `/var/lib/kubelet/seccomp/${profile.localhostProfile ?? ''}`,
      }
    default:
      return { profileType: SecurityProfile_ProfileType.Unconfined }
  }
}
