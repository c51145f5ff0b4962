// All machines' control channels by name: what the API server asks for logs and exec, and what the machine controller attaches to.
import type { Duplex } from 'node:stream'
import type { AgentStatus } from '../../common/channel/agent-api.ts'
import type { Clock } from '../../common/machinery/clock.ts'
import type { Logger } from '../../common/machinery/logger.ts'
import { serviceUnavailable } from '../../common/machinery/status.ts'
import type { KeyPair } from '../pki/certificates.ts'
import { NodeChannel } from './node-channel.ts'
import type { NodeConnections, NodeRequest, NodeResponse } from './node-connections.ts'

export interface ChannelHubOptions {
  credentials: { ca: string; client: KeyPair }
  serve: (machine: string, socket: Duplex) => void
  logger: Logger
  clock: Clock
}

export interface ChannelListener {
  onConnected?(machine: string, status: AgentStatus): void
  onDisconnected?(machine: string, reason: string): void
}

export class ChannelHub implements NodeConnections {
  readonly #channels = new Map<string, { port: number; channel: NodeChannel }>()
  readonly #listeners = new Set<ChannelListener>()
  readonly #options: ChannelHubOptions

  constructor(options: ChannelHubOptions) {
    this.#options = options
  }

  subscribe(listener: ChannelListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Keeps a channel to the machine from now on; the same port again changes nothing. */
  attach(machine: string, { port }: { port: number }): void {
    const present = this.#channels.get(machine)
    if (present?.port === port) return
    present?.channel.close()
    const channel = new NodeChannel({
      machine,
      port,
      credentials: this.#options.credentials,
      serve: (socket) => {
        this.#options.serve(machine, socket)
      },
      onConnected: (status) => {
        for (const listener of this.#listeners) listener.onConnected?.(machine, status)
      },
      onDisconnected: (reason) => {
        for (const listener of this.#listeners) listener.onDisconnected?.(machine, reason)
      },
      logger: this.#options.logger,
      clock: this.#options.clock,
    })
    this.#channels.set(machine, { port, channel })
  }

  detach(machine: string): void {
    this.#channels.get(machine)?.channel.close()
    this.#channels.delete(machine)
  }

  isConnected(machine: string): boolean {
    return this.#channels.get(machine)?.channel.connected ?? false
  }

  request(machine: string, request: NodeRequest): Promise<NodeResponse> {
    const entry = this.#channels.get(machine)
    if (!entry)
      return Promise.reject(serviceUnavailable(`node "${machine}" is not connected: its machine is not running`))
    return entry.channel.request(request)
  }

  close(): void {
    for (const { channel } of this.#channels.values()) channel.close()
    this.#channels.clear()
  }
}
