// What the engine gives a machine at boot. It travels as a ustar archive written raw on a small read-only virtio disk
// (serial "orrery-config"): one file machine.json, mode 0600. Never on the kernel command line (visible in process lists).

export interface GuestConfig {
  formatVersion: 1
  /** Machine name = Node name = hostname. */
  machine: string
  machineUid: string
  arch: GuestArch
  /** Host wall clock at boot in ms; the guest sets its clock forward to it when its own is older. */
  bootTimeMs: number
  lan: {
    /** MAC of NIC 2 (the cluster LAN) */
    mac: string
    /** "10.77.0.11/16" */
    address: string
  }
  control: {
    /** MAC of NIC 1 (slirp, restrict=on; address by slirp's convention 10.0.2.15/24, no gateway used). */
    mac: string
    address: string
  }
  cluster: {
    podCIDR: string
    clusterCIDR: string
    serviceCIDR: string
    /** ClusterIP of kubernetes.default */
    apiServiceAddress: string
    dnsAddress: string
    domain: string
  }
  agent: {
    /** Guest TCP port that the engine dials through hostfwd. */
    port: number
    /** PEM: cluster CA, the agent's own certificate (CN=system:node:NAME, O=system:nodes, usable as server "NAME" and client) and key. */
    caCert: string
    cert: string
    key: string
  }
  images: {
    /** Guest loopback port on which the agent serves the lab's registry to containerd (all registries are mirrored to it). */
    registryPort: number
    pause: string
  }
  labels: Record<string, string>
  taints: { key: string; value?: string; effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute' }[]
}

export type GuestArch = 'amd64' | 'arm64'

export const guestPaths = {
  config: '/run/orrery/machine.json',
  phases: '/run/orrery/phases',
  agentPid: '/run/orrery/agent.pid',
  /** Written once the agent has told the cluster that the machine goes. */
  agentLeft: '/run/orrery/agent-left',
  agentState: '/var/lib/orrery',
  containerdSocket: '/run/containerd/containerd.sock',
  podLogs: '/var/log/pods',
} as const
