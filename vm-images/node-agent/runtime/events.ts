// The runtime's events as pod uids to look at. The stream is opened again whenever it ends (containerd was restarted); what happened
// meanwhile is unknown, so a reconnection means: look at everything.
import { Backoff } from '../../../common/client/backoff.ts'
import { delay } from '../../../common/client/delay.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import { describeError } from '../logger.ts'
import { RuntimeService, type Runtime } from './runtime.ts'

export type RuntimeEvent = { type: 'reconnected' } | { type: 'pod'; podUid: string }

export async function followRuntime(options: {
  runtime: Runtime
  clock: Clock
  logger: Logger
  signal: AbortSignal
  onEvent: (event: RuntimeEvent) => void
  onConnection: (problem: string | undefined) => void
}): Promise<void> {
  const { runtime, clock, logger, signal, onEvent, onConnection } = options
  const backoff = new Backoff({ baseMs: 100, maxMs: 2_000 })
  while (!signal.aborted) {
    try {
      await runtime.call(RuntimeService.method.version, {}, { timeoutMs: 10_000 })
      onConnection(undefined)
      const events = runtime.events(signal)
      onEvent({ type: 'reconnected' })
      backoff.reset()
      for await (const { podSandboxStatus } of events) {
        const podUid = podSandboxStatus?.metadata?.uid
        if (podUid !== undefined) onEvent({ type: 'pod', podUid })
      }
      throw new Error('the event stream ended')
    } catch (error) {
      if (options.signal.aborted) return
      onConnection(describeError(error))
      logger.debug('the container runtime is not reachable, trying again', { error: describeError(error) })
      await delay(clock, backoff.next(), signal).catch(() => undefined)
    }
  }
}
