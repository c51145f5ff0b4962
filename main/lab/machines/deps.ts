// What the machine controller and its QEMU driver are given by the engine.
import type { AgentStatus } from '../../../common/channel/agent-api.ts'
import type { GuestArch } from '../../../common/channel/guest-config.ts'

/** The control channel to the agents (main/channel). */
export interface AgentChannel {
  /** Keeps dialling 127.0.0.1:port from now on; the same port again changes nothing. */
  attach(machine: string, target: { port: number }): void
  detach(machine: string): void
  isConnected(machine: string): boolean
  subscribe(listener: {
    onConnected?(machine: string, status: AgentStatus): void
    onDisconnected?(machine: string, reason: string): void
  }): () => void
}

export interface NodeImage {
  /** Content identity; also names the kernel for the accelerator probe. */
  readonly id: string
  readonly kernel: string
  readonly initrd: string
  readonly root: string
  /** Empty ext4 as qcow2: backing file of every machine's disk. */
  readonly dataTemplate: string
}

export interface NodeImageSource {
  /** Builds it when it is not there yet; `onProgress` gets one short line per step. Rejects with an Error whose message and `hint` a person can use. */
  nodeImage(arch: GuestArch, options: { onProgress: (line: string) => void; signal: AbortSignal }): Promise<NodeImage>
}

export interface AgentCredentials {
  /** PEM. */
  readonly cert: string
  readonly key: string
  readonly ca: string
}

export interface LabNetwork {
  readonly lanCIDR: string
  readonly clusterCIDR: string
  readonly serviceCIDR: string
  readonly apiServiceAddress: string
  readonly dnsAddress: string
  readonly domain: string
}

export interface GuestSupplies {
  issueAgentCertificate(machine: { name: string; uid: string }): Promise<AgentCredentials>
  /** The bundled node agent (one file for all architectures). */
  agentBundle(): Promise<Uint8Array>
  readonly network: LabNetwork
  readonly pauseImage: string
  /** Guest loopback port of the registry. */
  readonly registryPort: number
}
