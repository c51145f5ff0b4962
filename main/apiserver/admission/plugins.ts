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
import type { PluginConfiguration } from './configuration.ts'
import type { AdmissionMetrics } from './metrics.ts'
import { defaultIngressClass } from './default-ingress-class.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { eventRateLimit, readEventLimits } from './event-rate-limit.ts'
import { limitRanger } from './limit-ranger.ts'
import { namespaceAutoProvision } from './namespace-auto-provision.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction/index.ts'
import { ownerReferencesPermissionEnforcement } from './owner-references-permission-enforcement.ts'
import { imagePolicyWebhook, readImagePolicy } from './image-policy-webhook.ts'
import { alwaysPullImages, extendedResourceToleration, podTopologyLabels } from './pod-adjustments.ts'
import { podNodeSelector, readNodeSelectors } from './pod-node-selector.ts'
import { podTolerationRestriction, readTolerations } from './pod-toleration-restriction.ts'
import { readPodSecurity } from './pod-security/configuration.ts'
import { podSecurity } from './pod-security/index.ts'
import { mutatingPolicies } from './policies/mutating.ts'
import { validatingPolicies } from './policies/validating.ts'
import { priority } from './priority.ts'
import { readLimitedResources } from './quota-coverage.ts'
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
import { readIdentities } from './webhooks/webhook.ts'

export interface AdmissionDependencies {
  /** Asked when a write is judged, by when the server is complete. */
  readonly authorizer: () => Authorizer
  readonly rbac: () => RbacAuthorizer
  readonly webhooks: WebhookClient
  readonly metrics: AdmissionMetrics
}

export interface AdmissionPluginEntry {
  readonly name: string
  readonly defaultOn: boolean
  /** Throws an Error that says what is wrong with the plugin's part of the configuration file. */
  check?(configuration: PluginConfiguration | undefined): void
  create(dependencies: AdmissionDependencies, configuration?: PluginConfiguration): AdmissionPlugin
}

const entry = (plugin: AdmissionPlugin, defaultOn: boolean): AdmissionPluginEntry => ({
  name: plugin.name,
  defaultOn,
  create: () => plugin,
})
/** A plugin with settings of its own. */
const configured = <Settings>(
  name: string,
  defaultOn: boolean,
  read: (configuration: PluginConfiguration | undefined) => Settings,
  create: (settings: Settings, dependencies: AdmissionDependencies) => AdmissionPlugin,
): AdmissionPluginEntry => ({
  name,
  defaultOn,
  check: (configuration) => {
    read(configuration)
  },
  create: (dependencies, configuration) => create(read(configuration), dependencies),
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
  configured('ImagePolicyWebhook', false, readImagePolicy, imagePolicyWebhook),
  configured('PodSecurity', true, readPodSecurity, podSecurity),
  configured('PodNodeSelector', false, readNodeSelectors, podNodeSelector),
  on(priority),
  on(defaultTolerationSeconds),
  configured('PodTolerationRestriction', false, readTolerations, podTolerationRestriction),
  configured('EventRateLimit', false, readEventLimits, eventRateLimit),
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
  configured('MutatingAdmissionWebhook', true, readIdentities, (identities, { authorizer, webhooks, metrics }) =>
    mutatingWebhooks({ authorizer, client: webhooks, identities, metrics }),
  ),
  { name: 'ValidatingAdmissionPolicy', defaultOn: true, create: validatingPolicies },
  configured('ValidatingAdmissionWebhook', true, readIdentities, (identities, { authorizer, webhooks, metrics }) =>
    validatingWebhooks({ authorizer, client: webhooks, identities, metrics }),
  ),
  configured('ResourceQuota', true, readLimitedResources, resourceQuota),
  off(alwaysDeny),
]

export class AdmissionPluginError extends Error {}

/** The entries that run. Throws AdmissionPluginError for names that do not exist, in upstream's words, and wrong configurations. */
export function selectAdmissionPlugins({
  enable = [],
  disable = [],
  configurations,
}: AdmissionSelection): AdmissionPluginEntry[] {
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
  const selected = admissionPlugins.filter(
    ({ name, defaultOn }) => !disable.includes(name) && (defaultOn || enable.includes(name)),
  )
  for (const plugin of selected)
    try {
      plugin.check?.(configurations?.get(plugin.name))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new AdmissionPluginError(`admission-control-config-file: ${plugin.name}: ${why}`, { cause: error })
    }
  return selected
}

/** What guards roles and bindings is no plugin to turn off: it runs in front of the others. */
export const newAdmissionPlugins = (
  dependencies: AdmissionDependencies,
  selection: AdmissionSelection = {},
): AdmissionPlugin[] => [
  rbacEscalation(dependencies.authorizer, dependencies.rbac),
  ...selectAdmissionPlugins(selection).map((plugin) =>
    plugin.create(dependencies, selection.configurations?.get(plugin.name)),
  ),
]
