// In which order groups are listed and tried by clients that know only the name of a resource.
/** Upstream's order of preference of the groups; all others come after them, as custom ones do. */
const groupPriorities: Readonly<Record<string, number>> = {
  // The aggregator's own group comes before what it aggregates.
  'apiregistration.k8s.io': 20000,
  '': 18000,
  apps: 17800,
  'events.k8s.io': 17750,
  'authentication.k8s.io': 17700,
  'authorization.k8s.io': 17600,
  autoscaling: 17500,
  batch: 17400,
  'certificates.k8s.io': 17300,
  'networking.k8s.io': 17200,
  policy: 17100,
  'rbac.authorization.k8s.io': 17000,
  'storage.k8s.io': 16800,
  'apiextensions.k8s.io': 16700,
  'admissionregistration.k8s.io': 16700,
  'scheduling.k8s.io': 16600,
  'coordination.k8s.io': 16500,
  'node.k8s.io': 16300,
  'discovery.k8s.io': 16200,
  'flowcontrol.apiserver.k8s.io': 16100,
  'resource.k8s.io': 15900,
}
const customPriority = 1000

export const groupPriority = (group: string): number => groupPriorities[group] ?? customPriority
