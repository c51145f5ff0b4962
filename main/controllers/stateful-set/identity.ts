// Pure: names, labels and claims by which a stateful set's pod stays the same pod from one incarnation to the next.
import type { PersistentVolumeClaim, Pod, PodTemplateSpec, StatefulSet } from '../../../common/api/generated/types.ts'
import { podFromTemplate } from '../pods/pod-from-template.ts'

const podNameLabel = 'statefulset.kubernetes.io/pod-name'
const podIndexLabel = 'apps.kubernetes.io/pod-index'
export const revisionLabel = 'controller-revision-hash'

export const startOf = (set: StatefulSet): number => set.spec?.ordinals?.start ?? 0
export const replicasOf = (set: StatefulSet): number => set.spec?.replicas ?? 1
export const revisionOf = (pod: Pod): string => pod.metadata.labels?.[revisionLabel] ?? ''
const podName = (set: StatefulSet, ordinal: number): string => `${set.metadata.name ?? ''}-${String(ordinal)}`

/** Undefined: not the name of a pod of this set. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const match = /^(.*)-([0-9]+)$/.exec(pod.metadata.name ?? '')
  if (match === null || match[1] !== set.metadata.name) return undefined
  const ordinal = Number(match[2])
  return ordinal <= 2_147_483_647 && podName(set, ordinal) === pod.metadata.name ? ordinal : undefined
}

export function isInRange(set: StatefulSet, ordinal: number): boolean {
  return ordinal >= startOf(set) && ordinal < startOf(set) + replicasOf(set)
}

/** The labels that tell who the pod is. */
export function identityLabels(set: StatefulSet, ordinal: number): Record<string, string> {
  return { [podNameLabel]: podName(set, ordinal), [podIndexLabel]: String(ordinal) }
}

export function podForOrdinal(set: StatefulSet, ordinal: number, template: PodTemplateSpec, revision: string): Pod {
  const pod = podFromTemplate(template, set)
  const { generateName: _, ...metadata } = pod.metadata
  const name = podName(set, ordinal)
  const claims = claimsOf(set, ordinal)
  const volumes = [
    ...claims.map(({ volume, claim }) => ({
      name: volume,
      persistentVolumeClaim: { claimName: claim.metadata.name ?? '' },
    })),
    ...(pod.spec?.volumes ?? []).filter(({ name: own }) => !claims.some(({ volume }) => volume === own)),
  ]
  return {
    ...pod,
    metadata: {
      ...metadata,
      name,
      labels: { ...metadata.labels, ...identityLabels(set, ordinal), [revisionLabel]: revision },
    },
    spec: {
      ...(pod.spec ?? { containers: [] }),
      hostname: name,
      subdomain: set.spec?.serviceName,
      ...(volumes.length === 0 ? {} : { volumes }),
    },
  }
}

/** The claims of one pod, with the name of the volume that uses each. */
export function claimsOf(set: StatefulSet, ordinal: number): { volume: string; claim: PersistentVolumeClaim }[] {
  return (set.spec?.volumeClaimTemplates ?? []).map(({ metadata, spec }) => {
    const volume = metadata.name ?? ''
    const labels = { ...metadata.labels, ...set.spec?.selector.matchLabels }
    return {
      volume,
      claim: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: {
          name: `${volume}-${podName(set, ordinal)}`,
          namespace: set.metadata.namespace,
          labels,
          ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }),
        },
        spec,
      },
    }
  })
}
