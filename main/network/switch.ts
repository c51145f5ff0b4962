// The lab's switch as the engine holds it: one worker thread, one port per machine. When the thread dies it is started again and
// its ports are opened again; machines are told through `onLink` and plug themselves back (vm/lan-uplink.ts).
import { Worker } from 'node:worker_threads'
import type { Logger } from '../../common/machinery/logger.ts'
import { type Endpoint, newEndpoint } from '../vm/endpoint.ts'
import type { FromWorker, PortStats, ToWorker } from './switch-messages.ts'

export type { PortStats } from './switch-messages.ts'

export interface LanSwitch {
  /** Opens (or opens afresh) the port of a machine and says where its NIC shall connect. */
  openPort(name: string): Promise<Endpoint>
  /** Where the open port of a machine listens; opens it when it is not. */
  portOf(name: string): Promise<Endpoint>
  closePort(name: string): Promise<void>
  stats(): Promise<Readonly<Record<string, PortStats>>>
  isUp(name: string): boolean
  /** A machine's cable went up or down; "restarted" means that its port may have moved and must be plugged again. */
  onLink(listener: (name: string, state: 'up' | 'down' | 'restarted') => void): () => void
  stop(): Promise<void>
}

export interface SwitchOptions {
  /** Path of a port's socket. */
  readonly socketPath: (name: string) => string
  readonly logger: Logger
  /** The worker's file; a bundle passes its own. */
  readonly workerUrl?: URL
}

/** A message round trip takes microseconds; this is for a thread that hangs. */
const callDeadlineMs = 10_000

type Call = { resolve: (message: FromWorker) => void; reject: (error: Error) => void; timer: NodeJS.Timeout }
type Unnumbered<T> = T extends { call: number } ? Omit<T, 'call'> : never

export function startSwitch(options: SwitchOptions): LanSwitch {
  const { logger } = options
  const workerUrl = options.workerUrl ?? new URL('./switch-worker.ts', import.meta.url)
  const endpoints = new Map<string, Endpoint>()
  const up = new Set<string>()
  const listeners = new Set<(name: string, state: 'up' | 'down' | 'restarted') => void>()
  const calls = new Map<number, Call>()
  let nextCall = 1
  let stopping = false
  let worker = startWorker()

  function startWorker(): Worker {
    const started = new Worker(workerUrl, { name: 'orrery-switch' })
    started.on('message', (message: FromWorker) => {
      if (message.type === 'link') {
        if (message.up) up.add(message.name)
        else up.delete(message.name)
        for (const listener of listeners) listener(message.name, message.up ? 'up' : 'down')
        return
      }
      const call = calls.get(message.call)
      if (call === undefined) return
      calls.delete(message.call)
      clearTimeout(call.timer)
      if (message.type === 'done' && message.error !== undefined)
        call.reject(new Error(`the switch could not do that: ${message.error}`))
      else call.resolve(message)
    })
    started.on('error', (error: Error) => {
      logger.error('switch thread failed', { error: error.message, stack: error.stack })
    })
    started.once('exit', (code) => {
      for (const call of calls.values()) {
        clearTimeout(call.timer)
        call.reject(new Error(`the switch thread ended with code ${String(code)}`))
      }
      calls.clear()
      if (stopping || worker !== started) return
      logger.warn('switch thread ended; starting it again', { code, ports: endpoints.size })
      worker = startWorker()
      void reopen()
    })
    return started
  }

  async function reopen(): Promise<void> {
    for (const name of [...endpoints.keys()]) {
      up.delete(name)
      try {
        await openPort(name)
        for (const listener of listeners) listener(name, 'restarted')
      } catch (error) {
        logger.error('switch port could not be opened again', { machine: name, error: (error as Error).message })
      }
    }
  }

  function ask(message: Unnumbered<ToWorker>): Promise<FromWorker> {
    return new Promise((resolve, reject) => {
      const call = nextCall++
      const timer = setTimeout(() => {
        calls.delete(call)
        reject(new Error(`the switch thread did not answer "${message.type}" within ${String(callDeadlineMs)} ms`))
      }, callDeadlineMs)
      calls.set(call, { resolve, reject, timer })
      worker.postMessage({ ...message, call })
    })
  }

  async function openPort(name: string): Promise<Endpoint> {
    const endpoint = await newEndpoint(options.socketPath(name))
    up.delete(name)
    await ask({ type: 'open', name, endpoint })
    endpoints.set(name, endpoint)
    return endpoint
  }

  return {
    openPort,
    portOf: async (name) => endpoints.get(name) ?? openPort(name),
    async closePort(name) {
      endpoints.delete(name)
      up.delete(name)
      await ask({ type: 'close', name })
    },
    async stats() {
      const answer = await ask({ type: 'stats' })
      return answer.type === 'stats' ? answer.ports : {}
    },
    isUp: (name) => up.has(name),
    onLink(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async stop() {
      stopping = true
      await worker.terminate()
    },
  }
}
