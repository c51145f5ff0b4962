// What main thread and switch worker say to each other.
import type { Endpoint } from '../vm/endpoint.ts'

export interface PortCounters {
  /** From the machine into the switch. */
  rxFrames: number
  rxBytes: number
  /** From the switch to the machine. */
  txFrames: number
  txBytes: number
  /** Frames for this machine given up because its queue was full. */
  droppedFrames: number
  /** Connections ended because the peer did not speak the frame format. */
  formatErrors: number
}

export interface PortStats extends PortCounters {
  connected: boolean
  queuedBytes: number
}

export type ToWorker =
  | { type: 'open'; call: number; name: string; endpoint: Endpoint }
  | { type: 'close'; call: number; name: string }
  | { type: 'stats'; call: number }

export type FromWorker =
  | { type: 'done'; call: number; error?: string }
  | { type: 'stats'; call: number; ports: Record<string, PortStats> }
  | { type: 'link'; name: string; up: boolean }
