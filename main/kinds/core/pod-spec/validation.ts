// Validation of a PodSpec and of pod templates: the entry points. Each concept has its own file beside this one.
import type { Container, PodSpec, PodTemplateSpec } from '../../../../common/api/generated/types.ts'
import {
  duplicate,
  forbiddenField,
  invalidValue,
  required,
  tooLong,
  type FieldError,
} from '../../../../common/machinery/field-error.ts'
import { byteLength } from '../../../../common/machinery/names.ts'
import {
  checkAnnotations,
  checkLabels,
  checkName,
  isDnsLabel,
  isDnsSubdomain,
  isQualifiedName,
} from '../../validation/names.ts'
import { unsupported } from '../../validation/values.ts'
import { checkAffinity } from './affinity.ts'
import { checkContainers } from './containers.ts'
import { checkDns, checkHostAliases } from './dns.ts'
import { checkPodResources, checkResources } from './resources.ts'
import { checkSchedulingGates, checkTolerations, checkTopologySpread } from './scheduling.ts'
import { newScope, type PodSpecScope } from './scope.ts'
import { checkOperatingSystem, checkPodSecurityContext } from './security.ts'
import { checkVolumes } from './volumes.ts'

/** The template of a workload, with its metadata. */
export function checkPodTemplate(errors: FieldError[], path: string, template: PodTemplateSpec | undefined): void {
  const { metadata = {}, spec } = template ?? {}
  checkLabels(errors, `${path}.labels`, metadata.labels)
  checkAnnotations(errors, `${path}.annotations`, metadata.annotations)
  checkPodAnnotations(errors, `${path}.annotations`, metadata.annotations, spec)
  checkPodSpec(errors, `${path}.spec`, spec, { isPod: false })
  if ((spec?.ephemeralContainers ?? []).length > 0) {
    errors.push(forbiddenField(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'))
  }
}

/** Annotations that mean something to Kubernetes on a pod. */
export function checkPodAnnotations(
  errors: FieldError[],
  path: string,
  annotations: Readonly<Record<string, string>> = {},
  spec: PodSpec | undefined,
): void {
  const mirror = annotations['kubernetes.io/config.mirror']
  if (mirror !== undefined && !spec?.nodeName) {
    errors.push(
      invalidValue(
        `${path}[kubernetes.io/config.mirror]`,
        mirror,
        'must set spec.nodeName if mirror pod annotation is set',
      ),
    )
  }
  const cost = annotations['controller.kubernetes.io/pod-deletion-cost']
  const costIsInteger =
    cost === undefined || (/^(0|-?[1-9][0-9]*)$/.test(cost) && Math.abs(Number(cost)) <= 2 ** 31 - 1)
  if (!costIsInteger) {
    errors.push(invalidValue(`${path}[controller.kubernetes.io/pod-deletion-cost]`, cost, 'must be a 32bit integer'))
  }
}

/** `podName`: of a real pod, for what is derived from it. */
export function checkPodSpec(
  errors: FieldError[],
  path: string,
  given: PodSpec | undefined,
  of: { isPod: boolean; podName?: string },
): void {
  const spec: PodSpec = given ?? { containers: [] }
  if (spec.terminationGracePeriodSeconds === undefined) errors.push(required(`${path}.terminationGracePeriodSeconds`))
  const volumes = checkVolumes(errors, `${path}.volumes`, spec.volumes ?? [], of.podName)
  const scope = newScope(errors, spec, { ...of, volumes })
  checkResourceClaims(errors, `${path}.resourceClaims`, spec)
  checkContainers(scope, path, spec)
  if (spec.resources !== undefined) {
    checkPodResources(errors, `${path}.resources`, spec.resources, spec.containers ?? [], scope.resourceClaims)
  }
  checkHostNetworkPorts(scope, path, spec)
  checkPolicies(errors, path, spec)
  checkLabels(errors, `${path}.nodeSelector`, spec.nodeSelector)
  if (spec.securityContext !== undefined) {
    checkPodSecurityContext(errors, `${path}.securityContext`, spec.securityContext, {
      hostPID: spec.hostPID === true,
      hostNetwork: spec.hostNetwork === true,
      hostIPC: spec.hostIPC === true,
      shareProcessNamespace: spec.shareProcessNamespace === true,
    })
  }
  if (spec.affinity !== undefined) checkAffinity(errors, `${path}.affinity`, spec.affinity)
  checkDns(errors, `${path}.dnsConfig`, spec.dnsConfig, spec.dnsPolicy)
  spec.readinessGates?.forEach(({ conditionType }, index) => {
    checkName(errors, `${path}.readinessGates[${String(index)}].conditionType`, conditionType, isQualifiedName)
  })
  checkSchedulingGates(errors, `${path}.schedulingGates`, spec.schedulingGates ?? [])
  checkTopologySpread(errors, `${path}.topologySpreadConstraints`, spec.topologySpreadConstraints ?? [])
  checkHostUsers(errors, path, spec)
  checkNames(errors, path, spec)
  if (spec.hostnameOverride !== undefined) checkHostnameOverride(errors, path, spec, spec.hostnameOverride)
  const deadline = spec.activeDeadlineSeconds
  if (deadline !== undefined && (deadline < 1 || deadline > 2_147_483_647)) {
    errors.push(invalidValue(`${path}.activeDeadlineSeconds`, deadline, 'must be between 1 and 2147483647, inclusive'))
  }
  checkTolerations(errors, `${path}.tolerations`, spec.tolerations ?? [])
  checkHostAliases(errors, `${path}.hostAliases`, spec.hostAliases ?? [])
  if (spec.overhead !== undefined) {
    checkResources(errors, `${path}.overhead`, { limits: spec.overhead }, { claims: scope.resourceClaims })
  }
  if (spec.os !== undefined) checkOperatingSystem(errors, path, spec.os.name, securityContexts(path, spec))
}

function checkPolicies(errors: FieldError[], path: string, spec: PodSpec): void {
  const choose = (field: 'restartPolicy' | 'dnsPolicy' | 'preemptionPolicy', choices: readonly string[]): void => {
    const value = spec[field]
    if (!value) errors.push(required(`${path}.${field}`))
    else if (!choices.includes(value)) errors.push(unsupported(`${path}.${field}`, value, choices))
  }
  choose('restartPolicy', ['Always', 'OnFailure', 'Never'])
  choose('dnsPolicy', ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'])
  if (spec.preemptionPolicy !== undefined) choose('preemptionPolicy', ['PreemptLowerPriority', 'Never'])
}

function checkNames(errors: FieldError[], path: string, spec: PodSpec): void {
  const rules = {
    serviceAccountName: isDnsSubdomain,
    nodeName: isDnsSubdomain,
    hostname: isDnsLabel,
    subdomain: isDnsLabel,
    priorityClassName: isDnsSubdomain,
    runtimeClassName: isDnsSubdomain,
  } as const
  for (const field of Object.keys(rules) as (keyof typeof rules)[]) {
    const value = spec[field]
    if (value !== undefined && (value !== '' || field === 'runtimeClassName')) {
      checkName(errors, `${path}.${field}`, value, rules[field])
    }
  }
}

const maxHostnameBytes = 64

function checkHostnameOverride(errors: FieldError[], path: string, spec: PodSpec, hostname: string): void {
  const at = `${path}.hostnameOverride`
  checkName(errors, at, hostname, isDnsSubdomain)
  if (byteLength(hostname) > maxHostnameBytes) errors.push(tooLong(at, maxHostnameBytes))
  if (spec.hostNetwork === true) errors.push(forbiddenField(at, 'may not be specified when hostNetwork is true'))
  if (spec.setHostnameAsFQDN === true)
    errors.push(forbiddenField(at, 'may not be specified when setHostnameAsFQDN is true'))
}

/** With the node's network a container port is a port of the node; templates may leave it open. */
function checkHostNetworkPorts({ errors, isPod }: PodSpecScope, path: string, spec: PodSpec): void {
  if (spec.hostNetwork !== true) return
  spec.containers?.forEach(({ ports = [] }, index) => {
    ports.forEach(({ hostPort = 0, containerPort }, port) => {
      if ((isPod || hostPort !== 0) && hostPort !== containerPort) {
        const at = `${path}.containers[${String(index)}].ports[${String(port)}].hostPort`
        errors.push(invalidValue(at, hostPort, 'must match `containerPort` when `hostNetwork` is true'))
      }
    })
  })
}

function checkHostUsers(errors: FieldError[], path: string, spec: PodSpec): void {
  if (spec.hostUsers !== false) return
  const detail = 'when `pod.Spec.HostUsers` is false'
  if (spec.hostNetwork === true) errors.push(forbiddenField(`${path}.hostNetwork`, detail))
  if (spec.hostPID === true) errors.push(forbiddenField(`${path}.HostPID`, detail))
  if (spec.hostIPC === true) errors.push(forbiddenField(`${path}.HostIPC`, detail))
}

function checkResourceClaims(errors: FieldError[], path: string, { resourceClaims = [] }: PodSpec): void {
  const names = new Set<string>()
  resourceClaims.forEach((claim, index) => {
    const at = `${path}[${String(index)}]`
    const { name, resourceClaimName, resourceClaimTemplateName } = claim
    if (!name) errors.push(required(`${at}.name`))
    else if (names.has(name)) errors.push(duplicate(`${at}.name`, name))
    else checkName(errors, `${at}.name`, name, isDnsLabel)
    names.add(name)
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      errors.push(
        invalidValue(at, claim, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'),
      )
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      errors.push(invalidValue(at, claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'))
    }
    if (resourceClaimName !== undefined) checkName(errors, `${at}.resourceClaimName`, resourceClaimName, isDnsSubdomain)
    if (resourceClaimTemplateName !== undefined) {
      checkName(errors, `${at}.resourceClaimTemplateName`, resourceClaimTemplateName, isDnsSubdomain)
    }
  })
}

function securityContexts(path: string, spec: PodSpec): Parameters<typeof checkOperatingSystem>[3] {
  const of = (
    field: 'initContainers' | 'containers' | 'ephemeralContainers',
  ): Parameters<typeof checkOperatingSystem>[3] =>
    (spec[field] ?? []).map((container: Pick<Container, 'securityContext'>, index: number) => ({
      path: `${path}.${field}[${String(index)}].securityContext`,
      context: container.securityContext,
    }))
  return [
    { path: `${path}.securityContext`, context: spec.securityContext },
    ...of('initContainers'),
    ...of('containers'),
    ...of('ephemeralContainers'),
  ]
}
