// Remote commands over SPDY (v4.channel.k8s.io and older clients' streams): one SPDY stream per channel, shown as channels.
import { frameChannel } from '../../../common/channel/agent-api.ts'
import { timeoutError } from '../../../common/machinery/status.ts'
import { type ByteConnection, SpdySession, type SpdyStream } from '../../../common/streaming/spdy/index.ts'
import type { ChannelStream } from '../apiserver.ts'
import { newNodeInflater } from './node-inflater.ts'

export const remoteCommandProtocols = ['v4.channel.k8s.io'] as const

const channelOf: Readonly<Record<string, number>> = {
  stdin: frameChannel.stdin,
  stdout: frameChannel.stdout,
  stderr: frameChannel.stderr,
  error: frameChannel.error,
  resize: frameChannel.resize,
}

/** The client has so long to open all streams of its command. */
const openDeadlineMs = 30_000

export interface WantedStreams {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}

/** Resolves when the client has opened every stream that its query announced; rejects after a deadline. */
export async function spdyChannels(connection: ByteConnection, wanted: WantedStreams): Promise<ChannelStream> {
  const expected = 1 + [wanted.stdin, wanted.stdout, wanted.stderr && !wanted.tty, wanted.tty].filter(Boolean).length
  const streams = new Map<number, SpdyStream>()
  const { promise: complete, resolve, reject } = Promise.withResolvers<undefined>()
  const session = new SpdySession({
    role: 'server',
    connection,
    newInflater: newNodeInflater,
    onStream: (stream) => {
      const channel = channelOf[(stream.headers.get('streamtype') ?? '').toLowerCase()]
      if (channel === undefined || streams.has(channel)) {
        stream.reset()
        return
      }
      streams.set(channel, stream)
      void stream.reply().catch(() => undefined)
      if (streams.size === expected) resolve(undefined)
    },
  })
  void session.ended.then((problem) => {
    reject(problem ?? new Error('the client went away'))
  })
  const deadline = setTimeout(() => {
    reject(timeoutError('the client did not open its streams in time'))
  }, openDeadlineMs)
  try {
    await complete
  } catch (error) {
    session.close()
    throw error
  } finally {
    clearTimeout(deadline)
  }
  return {
    send: async (channel, payload) => {
      if (payload.length > 0) await streams.get(channel)?.write(payload)
    },
    receive: () => mergeInputs(streams, session.ended),
    close: () => {
      // Each stream is ended properly first: clients wait for the end of stdout and error.
      void Promise.allSettled([...streams.values()].map((stream) => stream.end())).then(() => {
        session.close()
      })
    },
  }
}

/** stdin and resize, interleaved as they arrive; the end of stdin shows as a close frame. Ends when the client is gone. */
async function* mergeInputs(
  streams: ReadonlyMap<number, SpdyStream>,
  ended: Promise<unknown>,
): AsyncGenerator<{ channel: number; payload: Uint8Array }> {
  const queue: { frame: { channel: number; payload: Uint8Array }; taken: () => void }[] = []
  let gone = false
  let wake: (() => void) | undefined
  void ended.then(() => {
    gone = true
    wake?.()
  })
  // One frame of each stream at a time: the rest waits in the stream itself.
  const push = (frame: { channel: number; payload: Uint8Array }): Promise<void> =>
    new Promise((taken) => {
      queue.push({ frame, taken })
      wake?.()
    })
  for (const channel of [frameChannel.stdin, frameChannel.resize]) {
    const stream = streams.get(channel)
    if (stream === undefined) continue
    void (async () => {
      try {
        for await (const payload of stream) await push({ channel, payload })
        if (channel === frameChannel.stdin)
          await push({ channel: frameChannel.close, payload: new Uint8Array([channel]) })
      } catch {
        // A broken stream ends the input; the command's own end is what counts.
      }
    })()
  }
  for (;;) {
    const next = queue.shift()
    if (next !== undefined) {
      yield next.frame
      next.taken()
    } else if (gone) return
    else {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
}
