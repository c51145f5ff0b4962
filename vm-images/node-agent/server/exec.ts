// POST /exec and /attach: the runtime's streams as frames. stdin's end, terminal size and exit code travel with them.
import { frameChannel } from '../../../common/channel/agent-api.ts'
import { badRequest } from '../../../common/machinery/status.ts'
import { describeError } from '../logger.ts'
import { RuntimeService, type Runtime } from '../runtime/runtime.ts'
import type { AgentRequest, Handler } from './agent-server.ts'
import { openCriWebSocket, type CriStream } from './cri-websocket.ts'
import { failureStatus, FramedStream, successStatus } from './framed-stream.ts'
import type { TargetFinder } from './target.ts'

interface StreamFlags {
  stdin: boolean
  stdout: boolean
  stderr: boolean
  tty: boolean
}

const flag = (query: URLSearchParams, name: string): boolean => query.get(name) === 'true' || query.get(name) === '1'

function streamFlags(query: URLSearchParams): StreamFlags {
  const tty = flag(query, 'tty')
  const flags = { stdin: flag(query, 'stdin'), stdout: flag(query, 'stdout'), stderr: flag(query, 'stderr') && !tty, tty }
  if (!flags.stdin && !flags.stdout && !flags.stderr) throw badRequest('you must specify at least 1 of stdin, stdout, stderr')
  return flags
}

export function exec(targets: TargetFinder, runtime: Runtime): Handler {
  return async (request) => {
    const [namespace = '', pod = '', container = ''] = request.segments
    const command = request.query.getAll('command')
    if (command.length === 0) throw badRequest('you must specify at least one command')
    const flags = streamFlags(request.query)
    const { id } = await targets.running(namespace, pod, container)
    const { url } = await runtime.call(RuntimeService.method.exec, { containerId: id, cmd: command, ...flags })
    await connect(request, url, flags)
  }
}

export function attach(targets: TargetFinder, runtime: Runtime): Handler {
  return async (request) => {
    const [namespace = '', pod = '', container = ''] = request.segments
    const flags = streamFlags(request.query)
    const { id } = await targets.running(namespace, pod, container)
    const { url } = await runtime.call(RuntimeService.method.attach, { containerId: id, ...flags })
    await connect(request, url, flags)
  }
}

async function connect({ stream }: AgentRequest, url: string, flags: StreamFlags): Promise<void> {
  const framed = new FramedStream(stream)
  let status: unknown
  const cri: CriStream = await openCriWebSocket(url, {
    onData: (channel, payload) => {
      if (channel === frameChannel.error) {
        if (payload.length > 0) status = JSON.parse(payload.toString('utf8'))
        return true
      }
      if (payload.length === 0) return true
      const kept = framed.send(channel, payload)
      if (!kept) framed.onDrain(() => { cri.resume() }) // prettier-ignore
      return kept
    },
    onError: (error) => {
      status ??= failureStatus(describeError(error))
    },
    onEnd: () => {
      framed.finish(status ?? successStatus)
    },
  })
  framed.start({
    onStdin: (data) => {
      if (flags.stdin) cri.send(frameChannel.stdin, data)
    },
    onStdinEnd: () => undefined,
    onResize: ({ width, height }) => {
      if (flags.tty) cri.send(frameChannel.resize, Buffer.from(JSON.stringify({ Width: width, Height: height })))
    },
    onClose: () => {
      cri.close()
    },
  })
}
