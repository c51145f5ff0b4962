// The restricted standard: what hardening asks for on top of the baseline.
import type { Container } from '../../../../common/api/generated/types.ts'
import { isSeccompType } from './baseline-checks.ts'
import {
  type Check,
  containerNames,
  containersOf,
  namesOf,
  type PodParts,
  quoted,
  settersOf,
  sortedUnique,
} from './check.ts'

/** Rules about Linux do not bind pods that say they are for Windows. */
const isWindows = ({ spec }: PodParts, version: number): boolean => version >= 25 && spec.os?.name === 'windows'
/** Root in a user namespace of its own is nobody outside. */
const hasOwnUsers = ({ spec }: PodParts, version: number): boolean => version >= 35 && spec.hostUsers === false

const allowPrivilegeEscalation: Check = {
  level: 'restricted',
  since: 8,
  of: (pod, version) => {
    if (isWindows(pod, version)) return undefined
    const bad = containersOf(pod.spec).filter(
      ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false,
    )
    return bad.length === 0
      ? undefined
      : {
          reason: 'allowPrivilegeEscalation != false',
          detail: `${containerNames(namesOf(bad))} must set securityContext.allowPrivilegeEscalation=false`,
        }
  },
}

const capabilities: Check = {
  level: 'restricted',
  since: 22,
  of: (pod, version) => {
    if (isWindows(pod, version)) return undefined
    const containers = containersOf(pod.spec)
    const added = ({ securityContext }: Container): string[] =>
      (securityContext?.capabilities?.add ?? []).filter((name) => name !== 'NET_BIND_SERVICE')
    const keeping = containers.filter(
      ({ securityContext }) => securityContext?.capabilities?.drop?.includes('ALL') !== true,
    )
    const adding = containers.filter((container) => added(container).length > 0)
    const details = [
      ...(keeping.length > 0
        ? [`${containerNames(namesOf(keeping))} must set securityContext.capabilities.drop=["ALL"]`]
        : []),
      ...(adding.length > 0
        ? [
            `${containerNames(namesOf(adding))} must not include ${quoted(sortedUnique(adding.flatMap(added)))} in securityContext.capabilities.add`,
          ]
        : []),
    ]
    return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') }
  },
}

const volumeTypes = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
] as const

const restrictedTypes = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'gitRepo',
  'nfs',
  'iscsi',
  'glusterfs',
  'rbd',
  'flexVolume',
  'cinder',
  'cephfs',
  'flocker',
  'fc',
  'azureFile',
  'vsphereVolume',
  'quobyte',
  'azureDisk',
  'portworxVolume',
  'scaleIO',
  'storageos',
] as const

const restrictedVolumes: Check = {
  level: 'restricted',
  of: ({ spec }) => {
    const bad = (spec.volumes ?? []).filter((volume) => volumeTypes.every((type) => volume[type] === undefined))
    if (bad.length === 0) return undefined
    const types = sortedUnique(
      bad.map((volume) => restrictedTypes.find((type) => volume[type] !== undefined) ?? 'unknown'),
    )
    const names = bad.map(({ name }) => name)
    return {
      reason: 'restricted volume types',
      detail: `${names.length === 1 ? 'volume' : 'volumes'} ${quoted(names)} ${names.length === 1 ? 'uses' : 'use'} restricted volume ${types.length === 1 ? 'type' : 'types'} ${quoted(types)}`,
    }
  },
}

const runAsNonRoot: Check = {
  level: 'restricted',
  of: (pod, version) => {
    if (hasOwnUsers(pod, version)) return undefined
    const { spec } = pod
    const ofPod = spec.securityContext?.runAsNonRoot
    const containers = containersOf(spec)
    const wrong = containers.filter(({ securityContext }) => securityContext?.runAsNonRoot === false)
    const setters = settersOf(ofPod === false, namesOf(wrong))
    const reason = 'runAsNonRoot != true'
    if (setters !== '') return { reason, detail: `${setters} must not set securityContext.runAsNonRoot=false` }
    const silent =
      ofPod === true ? [] : containers.filter(({ securityContext }) => securityContext?.runAsNonRoot === undefined)
    return silent.length === 0
      ? undefined
      : { reason, detail: `pod or ${containerNames(namesOf(silent))} must set securityContext.runAsNonRoot=true` }
  },
}

const runAsUser: Check = {
  level: 'restricted',
  since: 23,
  of: (pod, version) => {
    if (hasOwnUsers(pod, version)) return undefined
    const bad = containersOf(pod.spec).filter(({ securityContext }) => securityContext?.runAsUser === 0)
    const setters = settersOf(pod.spec.securityContext?.runAsUser === 0, namesOf(bad))
    return setters === '' ? undefined : { reason: 'runAsUser=0', detail: `${setters} must not set runAsUser=0` }
  },
}

const seccompProfile: Check = {
  level: 'restricted',
  since: 19,
  of: (pod, version) => {
    if (isWindows(pod, version)) return undefined
    const { spec } = pod
    const ofPod = spec.securityContext?.seccompProfile
    const podIsBad = ofPod !== undefined && !isSeccompType(ofPod.type)
    const containers = containersOf(spec)
    const bad = containers.filter(({ securityContext }) => {
      const profile = securityContext?.seccompProfile
      return profile !== undefined && !isSeccompType(profile.type)
    })
    const setters = settersOf(podIsBad, namesOf(bad))
    if (setters !== '') {
      const types = sortedUnique([
        ...(podIsBad ? [ofPod.type] : []),
        ...bad.map(({ securityContext }) => securityContext?.seccompProfile?.type ?? ''),
      ])
      return {
        reason: 'seccompProfile',
        detail: `${setters} must not set securityContext.seccompProfile.type to ${quoted(types)}`,
      }
    }
    const silent =
      ofPod !== undefined
        ? []
        : containers.filter(({ securityContext }) => securityContext?.seccompProfile === undefined)
    return silent.length === 0
      ? undefined
      : {
          reason: 'seccompProfile',
          detail: `pod or ${containerNames(namesOf(silent))} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
        }
  },
}

export const restrictedChecks: readonly Check[] = [
  allowPrivilegeEscalation,
  capabilities,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seccompProfile,
]
