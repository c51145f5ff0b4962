// Warnings about pods and pod templates that are valid but likely not meant so.
import type {
  Container,
  ContainerPort,
  EphemeralContainer,
  PodSpec,
  PodTemplateSpec,
  Quantity,
  Volume,
} from '../../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import { canonicalQuantity, isQuantity, parseQuantity } from '../../../../common/machinery/quantity.ts'
import { deprecatedNodeLabels, labelMapWarnings, selectorTermWarnings } from '../node-labels.ts'
import { claimSpecWarnings } from './claim-spec.ts'
import { overlapWarnings } from './overlapping-paths.ts'

type Annotations = Readonly<Record<string, string>>
type AnyContainer = Container | EphemeralContainer

/** `path` is that of the template ("spec.template"). Nothing is said when the update changes nothing that is desired. */
export function podTemplateWarnings(
  path: string,
  template: PodTemplateSpec | undefined,
  { object, old }: { readonly object: KubeObject; readonly old: KubeObject | undefined },
): string[] {
  if (template?.spec === undefined) return []
  if (old !== undefined && old.metadata.generation === object.metadata.generation) return []
  return warningsOf(`${path}.`, template.spec, template.metadata?.annotations)
}

/** Of a pod itself. */
export const podWarnings = (pod: KubeObject & { readonly spec?: PodSpec }, old: KubeObject | undefined): string[] =>
  pod.spec === undefined || (old !== undefined && old.metadata.generation === pod.metadata.generation)
    ? []
    : warningsOf('', pod.spec, pod.metadata.annotations)

/** `prefix` is empty or ends with a dot. */
function warningsOf(prefix: string, spec: PodSpec, annotations: Annotations = {}): string[] {
  const path = `${prefix}spec`
  const containers = containersOf(path, spec)
  const grace = spec.terminationGracePeriodSeconds ?? 0
  return [
    ...placementWarnings(path, spec),
    ...annotationWarnings(`${prefix}metadata.annotations`, { spec, containers, annotations }),
    ...(spec.volumes ?? []).flatMap((volume, index) => volumeWarnings(`${path}.volumes[${String(index)}]`, volume)),
    ...overlapWarnings(spec.volumes ?? []),
    ...listWarnings(path, spec),
    ...fractionWarnings(`${path}.overhead`, spec.overhead),
    ...containers.flatMap(([at, container]) => containerWarnings(at, container)),
    ...portWarnings(containers),
    ...(grace < 0
      ? [`${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
    ...affinityWarnings(`${path}.affinity`, spec),
  ]
}

/** With their paths. */
type Placed = readonly (readonly [string, AnyContainer])[]

function containersOf(path: string, spec: PodSpec): Placed {
  const { initContainers = [], containers = [], ephemeralContainers = [] } = spec
  return Object.entries({ initContainers, containers, ephemeralContainers }).flatMap(([field, list]) =>
    list.map((container, index): [string, AnyContainer] => [`${path}.${field}[${String(index)}]`, container]),
  )
}

function placementWarnings(path: string, spec: PodSpec): string[] {
  const { requiredDuringSchedulingIgnoredDuringExecution: needed, preferredDuringSchedulingIgnoredDuringExecution } =
    spec.affinity?.nodeAffinity ?? {}
  const at = `${path}.affinity.nodeAffinity`
  const spread = (spec.topologySpreadConstraints ?? []).flatMap(({ topologyKey, labelSelector }, index) => {
    const constraint = `${path}.topologySpreadConstraints[${String(index)}]`
    const message = deprecatedNodeLabels[topologyKey]
    return [
      ...(message === undefined ? [] : [`${constraint}.topologyKey: ${topologyKey} is ${message}`]),
      ...(labelSelector === undefined ? [`${constraint}.labelSelector: ${matchesNothing}`] : []),
    ]
  })
  return [
    ...labelMapWarnings(`${path}.nodeSelector`, spec.nodeSelector),
    ...(needed?.nodeSelectorTerms ?? []).flatMap((term, index) =>
      selectorTermWarnings(
        `${at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${String(index)}]`,
        term,
      ),
    ),
    ...(preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(({ preference }, index) =>
      selectorTermWarnings(
        `${at}.preferredDuringSchedulingIgnoredDuringExecution[${String(index)}].preference`,
        preference,
      ),
    ),
    ...spread,
  ]
}

const matchesNothing = 'a null labelSelector results in matching no pod'

function affinityWarnings(path: string, { affinity }: PodSpec): string[] {
  return (['podAffinity', 'podAntiAffinity'] as const).flatMap((field) => {
    const at = `${path}.${field}`
    const { requiredDuringSchedulingIgnoredDuringExecution: needed = [] } = affinity?.[field] ?? {}
    const { preferredDuringSchedulingIgnoredDuringExecution: preferred = [] } = affinity?.[field] ?? {}
    return [
      ...needed.flatMap(({ labelSelector }, index) =>
        labelSelector === undefined
          ? [`${at}.requiredDuringSchedulingIgnoredDuringExecution[${String(index)}].labelSelector: ${matchesNothing}`]
          : [],
      ),
      ...preferred.flatMap(({ podAffinityTerm: term }, index) => {
        const where = `${at}.preferredDuringSchedulingIgnoredDuringExecution[${String(index)}]`
        return term?.labelSelector === undefined ? [`${where}.podAffinityTerm.labelSelector: ${matchesNothing}`] : []
      }),
    ]
  })
}

const withoutFunction: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
}

function annotationWarnings(
  path: string,
  { spec, containers, annotations }: { spec: PodSpec; containers: Placed; annotations: Annotations },
): string[] {
  if (Object.keys(annotations).length === 0) return []
  const warnings = Object.entries(withoutFunction).flatMap(([key, message]) =>
    annotations[key] === undefined ? [] : [`${path}[${key}]: ${message}`],
  )
  const seccomp = 'non-functional in v1.27+; use the "seccompProfile" field instead'
  const ofPod = 'seccomp.security.alpha.kubernetes.io/pod'
  if (annotations[ofPod] !== undefined && spec.securityContext?.seccompProfile === undefined)
    warnings.push(`${path}[${ofPod}]: ${seccomp}`)
  for (const [, { name, securityContext }] of containers) {
    const ofContainer = `container.seccomp.security.alpha.kubernetes.io/${name}`
    if (annotations[ofContainer] !== undefined && securityContext?.seccompProfile === undefined)
      warnings.push(`${path}[${ofContainer}]: ${seccomp}`)
    const appArmor = `container.apparmor.security.beta.kubernetes.io/${name}`
    const profile = securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile
    if (annotations[appArmor] !== undefined && profile === undefined)
      warnings.push(`${path}[${appArmor}]: deprecated since v1.30; use the "appArmorProfile" field instead`)
  }
  return warnings
}

const oldVolumes: Readonly<Partial<Record<string, string>>> = {
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  gitRepo: 'deprecated in v1.11, and disabled by default in v1.33+',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
} as const satisfies Partial<Record<keyof Volume, string>>

function volumeWarnings(path: string, volume: Volume): string[] {
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec
  return [
    ...Object.entries(volume).flatMap(([field, source]) => {
      const message = oldVolumes[field]
      return source === undefined || message === undefined ? [] : [`${path}.${field}: ${message}`]
    }),
    ...(claim === undefined ? [] : claimSpecWarnings(`${path}.ephemeral.volumeClaimTemplate.spec`, claim)),
  ]
}

function listWarnings(path: string, { hostAliases = [], imagePullSecrets = [] }: PodSpec): string[] {
  const secrets = imagePullSecrets.map(({ name = '' }) => name)
  return [
    ...repeated(hostAliases.map(({ ip }) => ip)).map(
      ([index, ip]) => `${path}.hostAliases[${String(index)}].ip: duplicate ip ${JSON.stringify(ip)}`,
    ),
    ...repeated(secrets).map(
      ([index, name]) => `${path}.imagePullSecrets[${String(index)}].name: duplicate name ${JSON.stringify(name)}`,
    ),
    ...secrets.flatMap((name, index) =>
      name === '' ? [`${path}.imagePullSecrets[${String(index)}].name: invalid empty name ""`] : [],
    ),
  ]
}

/** Those that were there before, with their places. */
const repeated = (values: readonly string[]): [number, string][] =>
  values.flatMap((value, index): [number, string][] => (values.indexOf(value) < index ? [[index, value]] : []))

/** Bytes are whole. */
function fractionWarnings(path: string, quantities: Readonly<Record<string, Quantity>> = {}): string[] {
  return ['memory', 'ephemeral-storage'].flatMap((name) => {
    const value = quantities[name]
    if (value === undefined || !isQuantity(value) || parseQuantity(value).nanos % 1_000_000_000n === 0n) return []
    const text = JSON.stringify(canonicalQuantity(value))
    return [`${path}[${name}]: fractional byte value ${text} is invalid, must be an integer`]
  })
}

function containerWarnings(path: string, { resources, env = [] }: AnyContainer): string[] {
  const names = env.map(({ name }) => name)
  const hidden = repeated(names).filter(([index, name]) => {
    const { value = '', valueFrom } = env[index] ?? {}
    const reference = `$(${name})`
    // A="x", A="$(A)y" adds to the first; everything else replaces it.
    return valueFrom !== undefined || value === reference || !value.includes(reference)
  })
  return [
    ...fractionWarnings(`${path}.resources.limits`, resources?.limits),
    ...fractionWarnings(`${path}.resources.requests`, resources?.requests),
    ...hidden.map(
      ([index, name]) =>
        `${path}.env[${String(index)}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`,
    ),
  ]
}

function portWarnings(containers: Placed): string[] {
  const warnings: string[] = []
  const taken = new Map<string, { at: string; port: ContainerPort }[]>()
  for (const [path, { ports = [] }] of containers) {
    ports.forEach((port, index) => {
      const at = `${path}.ports[${String(index)}]`
      const key = `${String(port.containerPort)}/${port.protocol ?? ''}`
      const others = taken.get(key) ?? []
      for (const other of others) {
        const how = conflictOf(port, other.port)
        if (how !== undefined) warnings.push(`${at}: ${how} port definition with ${other.at}`)
      }
      taken.set(key, [...others, { at, port }])
    })
  }
  return warnings
}

function conflictOf(port: ContainerPort, other: ContainerPort): string | undefined {
  const [hostPort, otherPort] = [port.hostPort ?? 0, other.hostPort ?? 0]
  const [hostIP, otherIP] = [port.hostIP ?? '', other.hostIP ?? '']
  if (hostIP === otherIP && hostPort === otherPort) return 'duplicate'
  if (hostPort === 0 || otherPort === 0) return 'overlapping'
  return hostPort === otherPort && (hostIP === '') !== (otherIP === '') ? 'dangerously ambiguous' : undefined
}
