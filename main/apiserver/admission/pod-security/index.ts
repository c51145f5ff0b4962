// PodSecurity: pods of a namespace keep to the standard its labels ask for; workloads that would make others are warned about.
import type { CronJob, Deployment, Namespace, Pod, PodTemplate } from '../../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import { forbidden, invalid } from '../../../../common/machinery/status.ts'
import { lookup, lookupAll } from '../../registry/context.ts'
import { sameJson } from '../../registry/same-json.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import type { PodParts } from './check.ts'
import { describeViolations, nameOf, policyOf, rankOf, sameStandard, type Standard, violationsOf } from './policy.ts'
import { exemptionOf, type PodSecurityConfiguration } from './configuration.ts'

/** Subresources of pods that do not change what a pod is. */
const ignored = new Set(['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status'])
const templates = new Set([
  '/replicationcontrollers',
  '/podtemplates',
  'apps/replicasets',
  'apps/deployments',
  'apps/statefulsets',
  'apps/daemonsets',
  'batch/jobs',
  'batch/cronjobs',
])

export const podSecurity = (configuration: PodSecurityConfiguration): AdmissionPlugin => ({
  name: 'PodSecurity',
  concerns: ({ group, resource }) =>
    (group === '' && (resource === 'pods' || resource === 'namespaces')) || templates.has(`${group}/${resource}`),
  validate(attributes) {
    const { operation, resourceName, object, subresource } = attributes
    if (object === undefined || (operation !== 'CREATE' && operation !== 'UPDATE')) return
    if (resourceName.group === '' && resourceName.resource === 'namespaces') {
      if (subresource === '') judgeNamespace(configuration, attributes, object as KubeObject & Namespace)
    } else if (resourceName.group === '' && resourceName.resource === 'pods') {
      if (!ignored.has(subresource)) judgePod(configuration, attributes, object as KubeObject & Pod)
    } else if (subresource === '') judgeTemplate(configuration, attributes, object)
  },
})

function judgeNamespace(
  { defaults }: PodSecurityConfiguration,
  attributes: AdmissionAttributes,
  namespace: KubeObject & Namespace,
): void {
  const { old, registry, request, name } = attributes
  const next = policyOf(namespace.metadata.labels, defaults)
  const before = policyOf(old?.metadata.labels, defaults)
  const complaint = next.errors.map(String).join()
  if (complaint !== '' && (old === undefined || complaint !== before.errors.map(String).join()))
    throw invalid({ group: '', kind: 'Namespace' }, name, [...next.errors])
  const { enforce } = next.standards
  const was = before.standards.enforce
  if (old === undefined || sameStandard(enforce, was) || enforce.level === 'privileged') return
  if (enforce.version === was.version && rankOf(enforce.level) <= rankOf(was.level)) return
  const pods = lookupAll(registry, '', 'pods', name).map(({ object }) => object as KubeObject & Pod)
  for (const warning of existingViolations(name, enforce, pods)) request.warn(warning)
}

/** Pods that are there already stay; whoever tightens the standard hears of them. */
function existingViolations(namespace: string, standard: Standard, pods: readonly (KubeObject & Pod)[]): string[] {
  const byReasons = new Map<string, string[]>()
  for (const { metadata, spec } of pods) {
    if (spec === undefined) continue
    const reasons = violationsOf(standard, { metadata, spec })
      .map(({ reason }) => reason)
      .join(', ')
    if (reasons !== '') byReasons.set(reasons, [...(byReasons.get(reasons) ?? []), metadata.name ?? ''])
  }
  if (byReasons.size === 0) return []
  const lines = [...byReasons].map(([reasons, [first = '', ...others]]) => {
    const more =
      others.length === 0 ? '' : ` (and ${String(others.length)} other ${others.length === 1 ? 'pod' : 'pods'})`
    return `${first}${more}: ${reasons}`
  })
  const header = `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${JSON.stringify(nameOf(standard))}`
  return [header, ...lines.sort()]
}

function judgePod(
  configuration: PodSecurityConfiguration,
  attributes: AdmissionAttributes,
  pod: KubeObject & Pod,
): void {
  const old = attributes.old as (KubeObject & Pod) | undefined
  const { metadata, spec } = pod
  if (spec === undefined) return
  if (
    attributes.operation === 'UPDATE' &&
    old?.spec !== undefined &&
    isInsignificant({ metadata, spec }, { metadata: old.metadata, spec: old.spec })
  )
    return
  judge(configuration, attributes, { metadata, spec }, true)
}

/** Of an existing pod only images, deadline, tolerations and metadata may change; profiles in annotations count. */
function isInsignificant(pod: PodParts, old: PodParts): boolean {
  const profiles = ({ metadata }: PodParts): object =>
    Object.fromEntries(
      Object.entries(metadata.annotations ?? {}).filter(([key]) => key.includes('seccomp') || key.includes('apparmor')),
    )
  const shape = ({ spec }: PodParts): object => ({
    ...spec,
    activeDeadlineSeconds: 0,
    tolerations: [],
    nodeName: '',
    schedulingGates: [],
  })
  return sameJson(profiles(pod), profiles(old)) && sameJson(shape(pod), shape(old))
}

function judgeTemplate(
  configuration: PodSecurityConfiguration,
  attributes: AdmissionAttributes,
  object: KubeObject,
): void {
  const { resourceName } = attributes
  const template =
    resourceName.resource === 'podtemplates'
      ? (object as PodTemplate).template
      : resourceName.resource === 'cronjobs'
        ? (object as CronJob).spec?.jobTemplate.spec?.template
        : (object as Deployment).spec?.template
  if (template?.spec !== undefined)
    judge(configuration, attributes, { metadata: template.metadata ?? {}, spec: template.spec }, false)
}

function judge(
  configuration: PodSecurityConfiguration,
  attributes: AdmissionAttributes,
  pod: PodParts,
  enforced: boolean,
): void {
  const { registry, namespace, resourceName, name, request } = attributes
  const exemption = exemptionOf(configuration, attributes, pod.spec.runtimeClassName)
  if (exemption !== undefined) {
    request.audit?.('pod-security.kubernetes.io/exempt', exemption)
    return
  }
  const labels = lookup(registry, '', 'namespaces', undefined, namespace)?.object.metadata.labels
  const { enforce, warn, audit } = policyOf(labels, configuration.defaults).standards
  if (enforced) {
    const violations = violationsOf(enforce, pod)
    if (violations.length > 0)
      throw forbidden(
        resourceName,
        name,
        `violates PodSecurity ${JSON.stringify(nameOf(enforce))}: ${describeViolations(violations)}`,
      )
    if (enforce.level !== 'privileged') request.audit?.('pod-security.kubernetes.io/enforce-policy', nameOf(enforce))
  }
  const wouldViolate = (standard: Standard): string | undefined => {
    const violations = violationsOf(standard, pod)
    if (violations.length === 0) return undefined
    return `would violate PodSecurity ${JSON.stringify(nameOf(standard))}: ${describeViolations(violations)}`
  }
  const audited = wouldViolate(audit)
  if (audited !== undefined) request.audit?.('pod-security.kubernetes.io/audit-violations', audited)
  const warning = wouldViolate(warn)
  if (warning !== undefined) request.warn(warning)
}
