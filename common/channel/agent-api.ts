// The control channel between engine and node agent. The engine always dials (guest port through hostfwd), mutual TLS, ALPN "h2".
// Two connections per machine, told apart by TLS server name:
//   sniAgent    the engine is the HTTP/2 client of the agent's kubelet-style API (paths below)
//   sniReverse  after the handshake the agent is the HTTP/2 client and the engine the server: the agent's road to the API server
// On the reverse connection the engine serves, as user system:node:NAME (groups system:nodes, system:authenticated):
//   every Kubernetes API path; /v2/* the OCI registry; POST /orrery/tunnel/apiserver a raw byte tunnel to the API server's TLS port
//   (what pods reach at kubernetes.default).

export const sniAgent = 'agent.orrery.internal'
export const sniReverse = 'reverse.orrery.internal'
export const tunnelPath = '/orrery/tunnel/apiserver'

/** Paths of the agent's API. `{…}` are URL-encoded segments. Errors are Status JSON with the matching HTTP code. */
export const agentPaths = {
  /** GET -> "ok" */
  health: '/healthz',
  /** GET -> AgentStatus */
  status: '/v1/status',
  /** GET /containerLogs/{namespace}/{pod}/{container}?follow&tailLines&previous&timestamps&sinceSeconds&sinceTime&limitBytes -> text stream */
  containerLogs: '/containerLogs',
  /** POST /exec/{namespace}/{pod}/{container}?command=..&command=..&stdin&stdout&stderr&tty -> framed duplex */
  exec: '/exec',
  /** POST /attach/{namespace}/{pod}/{container}?stdin&stdout&stderr&tty -> framed duplex */
  attach: '/attach',
  /** POST /portForward/{namespace}/{pod}?port=N -> raw bytes both ways, one TCP connection inside the pod's network namespace */
  portForward: '/portForward',
  /** POST /dial?host=IP&port=N -> raw bytes both ways, a TCP connection made from the node (services, pods) */
  dial: '/dial',
  /** POST /shell?cols=N&rows=N -> framed duplex with a PTY in the node itself; tty=false: without one, for scripts */
  shell: '/shell',
  /** GET -> kubelet stats summary (stats/v1alpha1 Summary: node, pods[].containers[] cpu.usageNanoCores, memory.workingSetBytes, …) */
  statsSummary: '/stats/summary',
  /** POST -> 202; the node stops its pods and powers itself off */
  powerOff: '/v1/poweroff',
} as const

export interface AgentStatus {
  version: string
  bootId: string
  /** Milliseconds since kernel start at which each phase was reached, in order. */
  phases: { name: BootPhase; atMs: number }[]
  containerRuntime: string
}

/** Boot phases in order, as conditions of a Machine show them. Written by the guest's init to guestPaths.phases ("name uptimeSeconds" lines). */
export const bootPhases = ['Kernel', 'Init', 'Runtime', 'Agent'] as const
export type BootPhase = (typeof bootPhases)[number]

/**
 * Framing of exec, attach and shell on the channel, both directions: 1 byte channel, 4 bytes big-endian payload length, payload.
 * Channels are those of v5.channel.k8s.io.
 */
export const frameChannel = {
  stdin: 0,
  stdout: 1,
  stderr: 2,
  /** From the agent, once, last: a Status JSON ({"status":"Success"} or Failure with reason NonZeroExitCode and cause ExitCode). */
  error: 3,
  /** To the agent: JSON {"Width":cols,"Height":rows}. */
  resize: 4,
  /** To the agent: payload is one byte, the channel that has ended (half-close of stdin). */
  close: 255,
} as const
export const maxFramePayload = 1 << 20
