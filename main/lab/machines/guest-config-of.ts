// Puts together what a machine is told at boot. Pure.
import type { GuestConfig } from '../../../common/channel/guest-config.ts'
import { cidrPrefix } from './addresses.ts'
import type { AgentCredentials, LabNetwork } from './deps.ts'
import type { BootRequest } from './driver.ts'

/** The agent's port inside the guest; the kubelet's, which people know. */
export const agentGuestPort = 10_250

export interface GuestConfigInput {
  readonly request: BootRequest
  readonly network: LabNetwork
  readonly credentials: AgentCredentials
  readonly pauseImage: string
  readonly registryPort: number
  readonly nowMs: number
}

export function guestConfigOf(input: GuestConfigInput): GuestConfig {
  const { request, network, credentials } = input
  const { identity } = request
  return {
    formatVersion: 1,
    machine: request.name,
    machineUid: request.uid,
    arch: request.arch,
    bootTimeMs: input.nowMs,
    lan: { mac: identity.macs.lan, address: `${identity.lanAddress}/${String(cidrPrefix(network.lanCIDR))}` },
    // slirp's own convention for its first guest.
    control: { mac: identity.macs.control, address: '10.0.2.15/24' },
    cluster: {
      podCIDR: identity.podCIDR,
      clusterCIDR: network.clusterCIDR,
      serviceCIDR: network.serviceCIDR,
      apiServiceAddress: network.apiServiceAddress,
      dnsAddress: network.dnsAddress,
      domain: network.domain,
    },
    agent: { port: agentGuestPort, caCert: credentials.ca, cert: credentials.cert, key: credentials.key },
    images: { registryPort: input.registryPort, pause: input.pauseImage },
    labels: { ...request.labels },
    taints: request.taints.map((taint) => ({ ...taint })),
  }
}
