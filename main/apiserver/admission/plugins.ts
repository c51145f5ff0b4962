// The admission plugins under upstream's names, in the order they run. One line each.
import type { Authorizer } from '../auth/authorizer.ts'
import type { RbacAuthorizer } from '../auth/rbac.ts'
import type { WebhookClient } from '../webhooks/client.ts'
import type { AdmissionPlugin } from './admission.ts'
import {
  certificateApproval,
  certificateSigning,
  certificateSubjectRestriction,
  clusterTrustBundleAttest,
} from './certificates.ts'
import { defaultIngressClass } from './default-ingress-class.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { eventRateLimit } from './event-rate-limit.ts'
import { limitRanger } from './limit-ranger.ts'
import { namespaceAutoProvision } from './namespace-auto-provision.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction.ts'
import { ownerReferencesPermissionEnforcement } from './owner-references-permission-enforcement.ts'
import { alwaysPullImages, extendedResourceToleration, podNodeSelector, podTopologyLabels } from './pod-adjustments.ts'
import { podSecurity } from './pod-security/index.ts'
import { mutatingPolicies } from './policies/mutating.ts'
import { validatingPolicies } from './policies/validating.ts'
import { priority } from './priority.ts'
import { rbacEscalation } from './rbac-escalation.ts'
import { resourceQuota } from './resource-quota.ts'
import { runtimeClass } from './runtime-class.ts'
import type { AdmissionSelection } from './selection.ts'
import { serviceAccount } from './service-account.ts'
import {
  alwaysAdmit,
  alwaysDeny,
  denyServiceExternalIPs,
  limitPodHardAntiAffinityTopology,
  namespaceExists,
} from './simple-plugins.ts'
import { defaultStorageClass, persistentVolumeClaimResize, storageObjectInUseProtection } from './storage.ts'
import { taintNodesByCondition } from './taint-nodes-by-condition.ts'
import { mutatingWebhooks, validatingWebhooks } from './webhooks/index.ts'

export interface AdmissionDependencies {
  /** Asked when a write is judged, by when the server is complete. */
  readonly authorizer: () => Authorizer
  readonly rbac: () => RbacAuthorizer
  readonly webhooks: WebhookClient
}

export interface AdmissionPluginEntry {
  readonly name: string
  readonly defaultOn: boolean
  create(dependencies: AdmissionDependencies): AdmissionPlugin
}

const entry = (plugin: AdmissionPlugin, defaultOn: boolean): AdmissionPluginEntry => ({
  name: plugin.name,
  defaultOn,
  create: () => plugin,
})
const on = (plugin: AdmissionPlugin): AdmissionPluginEntry => entry(plugin, true)
const off = (plugin: AdmissionPlugin): AdmissionPluginEntry => entry(plugin, false)

export const admissionPlugins: readonly AdmissionPluginEntry[] = [
  off(alwaysAdmit),
  off(namespaceAutoProvision),
  on(namespaceLifecycle),
  off(namespaceExists),
  off(limitPodHardAntiAffinityTopology),
  { name: 'LimitRanger', defaultOn: true, create: limitRanger },
  on(serviceAccount),
  // Upstream's own default is off; every installer turns it on, as nodes' rights rest on it.
  on(nodeRestriction),
  on(taintNodesByCondition),
  off(alwaysPullImages),
  on(podSecurity),
  off(podNodeSelector),
  on(priority),
  on(defaultTolerationSeconds),
  { name: 'EventRateLimit', defaultOn: false, create: eventRateLimit },
  off(extendedResourceToleration),
  on(defaultStorageClass),

  on(storageObjectInUseProtection),
  {
    name: 'OwnerReferencesPermissionEnforcement',
    defaultOn: false,
    create: ({ authorizer }) => ownerReferencesPermissionEnforcement(authorizer),
  },
  on(persistentVolumeClaimResize),
  on(runtimeClass),
  { name: 'CertificateApproval', defaultOn: true, create: ({ authorizer }) => certificateApproval(authorizer) },
  { name: 'CertificateSigning', defaultOn: true, create: ({ authorizer }) => certificateSigning(authorizer) },
  {
    name: 'ClusterTrustBundleAttest',
    defaultOn: true,
    create: ({ authorizer }) => clusterTrustBundleAttest(authorizer),
  },
  on(certificateSubjectRestriction),
  on(defaultIngressClass),
  off(denyServiceExternalIPs),
  on(podTopologyLabels),
  { name: 'MutatingAdmissionPolicy', defaultOn: true, create: mutatingPolicies },
  {
    name: 'MutatingAdmissionWebhook',
    defaultOn: true,
    create: ({ authorizer, webhooks }) => mutatingWebhooks({ authorizer, client: webhooks }),
  },
  { name: 'ValidatingAdmissionPolicy', defaultOn: true, create: validatingPolicies },
  {
    name: 'ValidatingAdmissionWebhook',
    defaultOn: true,
    create: ({ authorizer, webhooks }) => validatingWebhooks({ authorizer, client: webhooks }),
  },
  { name: 'ResourceQuota', defaultOn: true, create: resourceQuota },
  off(alwaysDeny),
]

export class AdmissionPluginError extends Error {}

/** The entries that run. Throws AdmissionPluginError for names that do not exist, in upstream's words. */
export function selectAdmissionPlugins({ enable = [], disable = [] }: AdmissionSelection): AdmissionPluginEntry[] {
  const known = new Set(admissionPlugins.map(({ name }) => name))
  const problems: string[] = []
  for (const [flag, names] of [
    ['enable-admission-plugins', enable],
    ['disable-admission-plugins', disable],
  ] as const)
    for (const name of names) if (!known.has(name)) problems.push(`${flag} plugin ${JSON.stringify(name)} is unknown`)
  for (const name of enable.filter((one) => disable.includes(one)))
    problems.push(`${JSON.stringify(name)} in enable-admission-plugins and disable-admission-plugins overlapped`)
  if (problems.length > 0) throw new AdmissionPluginError(problems.join(', '))
  return admissionPlugins.filter(
    ({ name, defaultOn }) => !disable.includes(name) && (defaultOn || enable.includes(name)),
  )
}

/** What guards roles and bindings is no plugin to turn off: it runs in front of the others. */
export const newAdmissionPlugins = (
  dependencies: AdmissionDependencies,
  selection: AdmissionSelection = {},
): AdmissionPlugin[] => [
  rbacEscalation(dependencies.authorizer, dependencies.rbac),
  ...selectAdmissionPlugins(selection).map((plugin) => plugin.create(dependencies)),
]
