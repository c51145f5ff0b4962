// What an engine is started with, and how its words on the command line are read.
import { CodedError } from './coded-error.ts'

export interface EngineOptions {
  home: string
  cache: string
  /** False: a control plane alone, nothing of QEMU, images or the switch. */
  machines: boolean
  listen?: { host: string; port: number }
  serviceCIDR?: string
  tokenAuthFile?: string
  /** Log to stderr too. */
  foreground: boolean
  logLevel: 'debug' | 'info' | 'warn' | 'error'
}

/** "127.0.0.1:7443", "localhost:0", "[::1]:7443". Only loopback addresses are accepted. */
export function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d+)$/.exec(text)
  const host = match?.[1] ?? match?.[2] ?? ''
  const port = Number(match?.[3])
  if (!match || port > 65535) {
    throw new CodedError(
      'BadArgument',
      `--listen "${text}" is not an address`,
      'Give HOST:PORT, for example --listen 127.0.0.1:7443, or port 0 for any free one.',
    )
  }
  if (!['127.0.0.1', 'localhost', '::1'].includes(host)) {
    throw new CodedError(
      'BadArgument',
      `--listen ${host}: Orrery listens on this computer's loopback only`,
      'Use 127.0.0.1, localhost or [::1].',
    )
  }
  return { host, port }
}
