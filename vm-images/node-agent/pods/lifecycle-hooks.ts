// postStart and preStop handlers.
import type { Container, LifecycleHandler } from '../../../common/api/generated/types.ts'
import { httpProbe, resolvePort } from '../probes/http-probe.ts'
import { RuntimeService, type Runtime } from '../runtime/runtime.ts'

/** Throws with the handler's failure; resolves when it has succeeded. */
export async function runHook(options: {
  runtime: Runtime
  container: Container
  containerId: string
  handler: LifecycleHandler
  podIp: string
  timeoutMs: number
  signal?: AbortSignal
}): Promise<void> {
  const { handler, container, runtime, timeoutMs, signal } = options
  if (handler.exec !== undefined) {
    const answer = await runtime.call(
      RuntimeService.method.execSync,
      {
        containerId: options.containerId,
        cmd: handler.exec.command ?? [],
        timeout: BigInt(Math.ceil(timeoutMs / 1000)),
      },
      { timeoutMs: timeoutMs + 5000, signal },
    )
    if (answer.exitCode !== 0) {
      const output = Buffer.concat([answer.stdout, answer.stderr]).toString('utf8').trim()
      throw new Error(
        `command '${(handler.exec.command ?? []).join(' ')}' exited with ${String(answer.exitCode)}: ${output}`,
      )
    }
  } else if (handler.httpGet !== undefined) {
    const port = resolvePort(handler.httpGet.port, container)
    const result = await httpProbe({ ...handler.httpGet, port }, options.podIp, timeoutMs)
    if (!result.ok) throw new Error(result.message)
  } else if (handler.sleep !== undefined) {
    const { seconds } = handler.sleep
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000)
      signal?.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}
