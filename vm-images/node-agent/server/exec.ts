// POST /exec and /attach: the runtime's streams as frames. stdin's end, terminal size and exit code travel with them.
import { frameChannel } from '../../../common/channel/agent-api.ts'
import { badRequest } from '../../../common/machinery/status.ts'
import type { SpdySession, SpdyStream } from '../../../common/streaming/spdy/index.ts'
import { describeError } from '../logger.ts'
import { RuntimeService, type Runtime } from '../runtime/runtime.ts'
import type { AgentRequest, Handler } from './agent-server.ts'
import { openCriSession } from './cri-spdy.ts'
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
  const flags = {
    stdin: flag(query, 'stdin'),
    stdout: flag(query, 'stdout'),
    stderr: flag(query, 'stderr') && !tty,
    tty,
  }
  if (!flags.stdin && !flags.stdout && !flags.stderr)
    throw badRequest('you must specify at least 1 of stdin, stdout, stderr')
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
  const session = await openCriSession(url, 'v4.channel.k8s.io')
  const open = (type: string): SpdyStream => session.openStream([['streamtype', type]])
  const errors = open('error')
  const stdin = flags.stdin ? open('stdin') : undefined
  const stdout = flags.stdout ? open('stdout') : undefined
  const stderr = flags.stderr ? open('stderr') : undefined
  const resize = flags.tty ? open('resize') : undefined
  const framed = new FramedStream(stream)
  framed.start({
    // A process that has closed its input, or has ended, loses what is still sent.
    onStdin: (data) => stdin?.write(data).catch(() => undefined),
    onStdinEnd: () => stdin?.end().catch(() => undefined),
    onResize: ({ width, height }) => {
      const size = JSON.stringify({ Width: width, Height: height })
      void resize?.write(Buffer.from(size)).catch(() => undefined)
    },
    onClose: () => {
      session.close()
    },
  })
  await finish(framed, session, { errors, stdout, stderr })
}

async function finish(
  framed: FramedStream,
  session: SpdySession,
  streams: { errors: SpdyStream; stdout: SpdyStream | undefined; stderr: SpdyStream | undefined },
): Promise<void> {
  try {
    const [text] = await Promise.all([
      collect(streams.errors),
      forward(streams.stdout, frameChannel.stdout, framed),
      forward(streams.stderr, frameChannel.stderr, framed),
    ])
    framed.finish(text === '' ? successStatus : JSON.parse(text))
  } catch (error) {
    framed.finish(failureStatus(describeError(error)))
  } finally {
    session.close()
  }
}

async function forward(stream: SpdyStream | undefined, channel: number, framed: FramedStream): Promise<void> {
  if (stream === undefined) return
  try {
    for await (const chunk of stream) await framed.send(channel, chunk)
  } catch {
    // The runtime ends its streams by resetting them; what counts is the status.
  }
}

async function collect(stream: SpdyStream): Promise<string> {
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of stream) chunks.push(chunk)
  } catch (error) {
    if (chunks.length === 0) throw error
  }
  return Buffer.concat(chunks).toString('utf8')
}
