// The address plan of a lab. All of it is private to the lab's own switch; nothing is visible to the host's network.

export interface ClusterNetwork {
  lanCIDR: string
  clusterCIDR: string
  serviceCIDR: string
  /** First address of the service range: kubernetes.default. */
  apiServiceAddress: string
  dnsAddress: string
  domain: string
  nodePortRange: { from: number; to: number }
}

/** The addresses that follow from a service range: .1 is the API, .10 is DNS. */
export function clusterNetwork(
  serviceCIDR = '10.96.0.0/16',
  nodePortRange = { from: 30000, to: 32767 },
): ClusterNetwork {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(serviceCIDR)
  const prefix = Number(match?.[5])
  if (!match || prefix < 8 || prefix > 24 || match.slice(1, 5).some((part) => Number(part) > 255)) {
    throw new Error(
      `service-cluster-ip-range "${serviceCIDR}": must be an IPv4 range between /8 and /24, for example 10.96.0.0/16`,
    )
  }
  const base = match.slice(1, 4).join('.')
  return {
    lanCIDR: '10.77.0.0/16',
    clusterCIDR: '10.244.0.0/16',
    serviceCIDR,
    apiServiceAddress: `${base}.1`,
    dnsAddress: `${base}.10`,
    domain: 'cluster.local',
    nodePortRange,
  }
}
