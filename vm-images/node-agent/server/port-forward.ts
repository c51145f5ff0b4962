// POST /portForward/{namespace}/{pod}?port=N: one TCP connection inside the pod's network namespace, as raw bytes both ways.
import type { ServerHttp2Stream } from 'node:http2'
import { serviceUnavailable } from '../../../common/machinery/status.ts'
import type { SpdyStream } from '../../../common/streaming/spdy/index.ts'
import { RuntimeService, type Runtime } from '../runtime/runtime.ts'
import type { Handler } from './agent-server.ts'
import { openCriSession } from './cri-spdy.ts'
import { requirePort } from './dial.ts'
import { drained } from './framed-stream.ts'
import type { TargetFinder } from './target.ts'

export function portForward(targets: TargetFinder, runtime: Runtime): Handler {
  return async ({ stream, segments, query }) => {
    const [namespace = '', pod = ''] = segments
    const port = requirePort(query)
    const sandbox = await targets.sandbox(namespace, pod)
    const { url } = await runtime.call(RuntimeService.method.portForward, { podSandboxId: sandbox.id, port: [port] })
    const session = await openCriSession(url, 'portforward.k8s.io')
    const headers = (type: string): [string, string][] => [
      ['streamtype', type],
      ['port', String(port)],
      ['requestid', '0'],
    ]
    const errors = session.openStream(headers('error'))
    const data = session.openStream(headers('data'))
    stream.on('close', () => {
      session.close()
    })
    // Nothing is ever written to it; ended at once as other clients do.
    await errors.end()
    const refused = text(errors)
    const upward = copyUp(stream, data)
    stream.respond({ ':status': 200, 'content-type': 'application/octet-stream' })
    try {
      for await (const chunk of data) if (!stream.write(chunk)) await drained(stream)
    } finally {
      const problem = await Promise.race([refused, new Promise<string>((resolve) => setTimeout(resolve, 100, ''))])
      // The engine sees a broken stream, and kubectl the error, rather than an empty answer.
      if (problem !== '') stream.destroy(serviceUnavailable(problem))
      else stream.end()
      session.close()
    }
    await upward
  }
}

async function copyUp(stream: ServerHttp2Stream, data: SpdyStream): Promise<void> {
  try {
    for await (const chunk of stream) await data.write(chunk as Uint8Array)
    await data.end()
  } catch {
    data.reset()
  }
}

async function text(stream: SpdyStream): Promise<string> {
  let all = ''
  try {
    for await (const chunk of stream) all += Buffer.from(chunk).toString('utf8')
  } catch {
    // The session ended: no error was reported.
  }
  return all
}
