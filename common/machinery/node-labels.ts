// Which labels a node may give itself: none by which it could draw workloads that are not meant for it.

const known = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
])

const isWithin = (domain: string, parents: readonly string[]): boolean =>
  parents.some((parent) => domain === parent || domain.endsWith(`.${parent}`))

/** Labels outside Kubernetes' own domains are a node's to set; within them a few, and two domains. */
export function mayNodeSetLabel(key: string): boolean {
  const slash = key.indexOf('/')
  const domain = slash === -1 ? '' : key.slice(0, slash)
  if (isWithin(domain, ['node-restriction.kubernetes.io'])) return false
  if (!isWithin(domain, ['kubernetes.io', 'k8s.io'])) return true
  return known.has(key) || isWithin(domain, ['kubelet.kubernetes.io', 'node.kubernetes.io'])
}
