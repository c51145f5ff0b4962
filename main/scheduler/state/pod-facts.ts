// Everything the scheduler needs of a pod, worked out once when the pod is first seen.
import type { Pod, Toleration } from '../../../common/api/generated/types.ts'
import { controllerOf } from '../../controllers/ownership/controller-of.ts'
import { canonicalJson } from '../../controllers/pods/template-hash.ts'
import type { PodClaim } from '../volumes/claims.ts'
import { claimsOfPod } from '../volumes/claims.ts'
import type { PodDeviceClaim } from '../devices/pod-claims.ts'
import { deviceClaimsOf } from '../devices/pod-claims.ts'
import type { PodTerms } from './affinity-terms.ts'
import { podTerms } from './affinity-terms.ts'
import type { NodeMatcher } from './node-selection.ts'
import { requiredNodes } from './node-selection.ts'
import type { Resources } from './pod-resources.ts'
import { podResources } from './pod-resources.ts'

export interface PodFacts {
  readonly pod: Pod
  readonly key: string
  readonly uid: string
  readonly namespace: string
  readonly priority: number
  readonly requests: Resources
  readonly scoring: Resources
  /** "TCP/0.0.0.0/80" */
  readonly hostPorts: readonly HostPort[]
  readonly tolerations: readonly Toleration[]
  readonly requiredNodes: NodeMatcher | undefined
  readonly terms: PodTerms
  /** Namespace and labels as one text: pods with the same one are counted together. */
  readonly labelsKey: string
  readonly ownerUid: string | undefined
  readonly images: readonly string[]
  readonly claims: readonly PodClaim[]
  readonly deviceClaims: readonly PodDeviceClaim[]
}

export interface HostPort {
  protocol: string
  ip: string
  port: number
}

export function podFacts(pod: Pod): PodFacts {
  const { namespace = '', name = '', uid = '', labels } = pod.metadata
  const { requests, scoring } = podResources(pod)
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]
  return {
    pod,
    key: `${namespace}/${name}`,
    uid,
    namespace,
    priority: pod.spec?.priority ?? 0,
    requests,
    scoring,
    hostPorts: hostPortsOf(pod),
    tolerations: pod.spec?.tolerations ?? [],
    requiredNodes: requiredNodes(pod),
    terms: podTerms(pod),
    labelsKey: `${namespace}\n${labels === undefined ? '' : canonicalJson(labels)}`,
    ownerUid: controllerOf(pod)?.uid,
    claims: claimsOfPod(pod),
    deviceClaims: deviceClaimsOf(pod),
    images: containers.flatMap((container) => (container.image === undefined ? [] : [container.image])),
  }
}

function hostPortsOf(pod: Pod): HostPort[] {
  const sidecars = (pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always')
  return [...sidecars, ...(pod.spec?.containers ?? [])].flatMap((container) =>
    (container.ports ?? []).flatMap(({ hostPort, protocol = 'TCP', hostIP }) =>
      hostPort === undefined || hostPort === 0
        ? []
        : [{ protocol, ip: hostIP === undefined || hostIP === '' ? '0.0.0.0' : hostIP, port: hostPort }],
    ),
  )
}
