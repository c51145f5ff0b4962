// machines/{name}/shell: a shell in the node itself, carried by the agent. Query `cols` and `rows` give its first size, `tty=false` one without a terminal, for scripts; channels are
// those of exec (0 input, 1 output, 3 the final status, 4 resize).
import { agentPaths, frameChannel } from '../../../common/channel/agent-api.ts'
import { labGroup } from '../../../common/api/lab/v1alpha1.ts'
import { ChannelFrameDecoder, channelFrames } from '../../../common/streaming/channel-frames.ts'
import { badRequest, StatusError } from '../../../common/machinery/status.ts'
import type { ChannelStream, ConnectRequest, ConnectSubresource } from '../../apiserver/apiserver.ts'
import type { NodeConnections, NodeResponse } from '../../channel/node-connections.ts'

export function shellSubresource(nodes: NodeConnections): ConnectSubresource {
  return {
    group: labGroup,
    plural: 'machines',
    subresource: 'shell',
    methods: ['GET'],
    async onStream(request, channels) {
      const response = await nodes.request(request.name, {
        method: 'POST',
        path: agentPaths.shell,
        query: {
          cols: size(request, 'cols', 80),
          rows: size(request, 'rows', 24),
          tty: request.query.get('tty') !== 'false',
        },
        signal: request.signal,
      })
      if (response.status !== 200) throw await refused(response)
      await bridge(response, channels)
    },
  }
}

function size(request: ConnectRequest, name: 'cols' | 'rows', fallback: number): number {
  const text = request.query.get(name)
  if (text === null) return fallback
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 10_000)
    throw badRequest(`${name}: must be a whole number from 1 to 10000`)
  return value
}

async function refused({ status, stream }: NodeResponse): Promise<Error> {
  let text = ''
  for await (const chunk of stream) text = (text + String(chunk)).slice(0, 4_096)
  try {
    const body = JSON.parse(text) as { kind?: string; code?: number; reason?: string; message?: string }
    if (body.kind === 'Status')
      return new StatusError({ code: status, reason: body.reason ?? 'InternalError', message: body.message ?? '' })
  } catch {
    // Not a Status: its text is all there is.
  }
  return new StatusError({
    code: 502,
    reason: 'InternalError',
    message: `the node refused a shell with ${String(status)}: ${text.trim()}`,
  })
}

/** Copies frames both ways until either side ends. */
async function bridge({ stream }: NodeResponse, channels: ChannelStream): Promise<void> {
  const up = async (): Promise<void> => {
    for await (const { channel, payload } of channels.receive()) {
      for (const frame of channelFrames(channel, payload)) {
        if (!stream.write(frame)) await drained(stream)
      }
    }
    // The viewer is gone: the shell goes too.
    stream.destroy()
  }
  const down = async (): Promise<void> => {
    const decoder = new ChannelFrameDecoder()
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      for (const { channel, payload } of decoder.push(chunk)) {
        await channels.send(channel, payload)
        if (channel === frameChannel.error) return
      }
    }
  }
  const upDone = up().catch(() => {
    stream.destroy()
  })
  try {
    await down()
  } catch (error) {
    if (!stream.destroyed) throw error
  } finally {
    channels.close()
    stream.destroy()
  }
  await upDone
}

function drained(stream: NodeResponse['stream']): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
  })
}
