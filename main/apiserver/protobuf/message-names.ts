// Which message of the table an object is, by its apiVersion and kind.
import type { WireFacts } from './wire-facts.ts'

/** Groups whose API folder is not their name (a group of custom resources may begin like a built-in one: only whole names count). */
const folderOfGroup: Readonly<Record<string, string>> = {
  '': 'core',
  'meta.k8s.io': 'meta',
  'admission.k8s.io': 'admission',
  'admissionregistration.k8s.io': 'admissionregistration',
  'apidiscovery.k8s.io': 'apidiscovery',
  'apiextensions.k8s.io': 'apiextensions',
  'apiregistration.k8s.io': 'apiregistration',
  'authentication.k8s.io': 'authentication',
  'authorization.k8s.io': 'authorization',
  'certificates.k8s.io': 'certificates',
  'coordination.k8s.io': 'coordination',
  'discovery.k8s.io': 'discovery',
  'events.k8s.io': 'events',
  'flowcontrol.apiserver.k8s.io': 'flowcontrol',
  'internal.apiserver.k8s.io': 'apiserverinternal',
  'metrics.k8s.io': 'metrics',
  'networking.k8s.io': 'networking',
  'node.k8s.io': 'node',
  'rbac.authorization.k8s.io': 'rbac',
  'resource.k8s.io': 'resource',
  'scheduling.k8s.io': 'scheduling',
  'storage.k8s.io': 'storage',
  'storagemigration.k8s.io': 'storagemigration',
  apps: 'apps',
  autoscaling: 'autoscaling',
  batch: 'batch',
  policy: 'policy',
}

/** "apps/v1", "Deployment" -> "apps/v1.Deployment"; undefined when it has no protobuf form. */
export function messageOf(facts: WireFacts, apiVersion: string, kind: string): string | undefined {
  const slash = apiVersion.indexOf('/')
  const group = slash < 0 ? '' : apiVersion.slice(0, slash)
  if (!Object.hasOwn(folderOfGroup, group)) return undefined
  const name = `${folderOfGroup[group] ?? ''}/${apiVersion.slice(slash + 1)}.${kind}`
  if (Object.hasOwn(facts.messages, name)) return name
  // Kinds of the machinery itself (Status, DeleteOptions, APIGroupList) go by any group's version.
  const shared = `meta/v1.${kind}`
  return (group === '' || group === 'meta.k8s.io' || kind === 'DeleteOptions') && Object.hasOwn(facts.messages, shared)
    ? shared
    : undefined
}
