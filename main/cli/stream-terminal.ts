// A machine's console or shell in this terminal: raw input, resize, Ctrl-] to leave.
import { once } from 'node:events'
import type WebSocket from 'ws'
import { frameChannel } from '../../common/channel/agent-api.ts'
import { CodedError } from '../engine/coded-error.ts'

const leaveKey = 0x1d

const frame = (channel: number, payload: Uint8Array): Buffer => Buffer.concat([Buffer.from([channel]), payload])

/** Resolves with the exit code that the remote side reported (0 for a console left by the user). */
export async function streamTerminal(
  socket: WebSocket,
  options: { kind: 'console' | 'terminal' | 'script' },
): Promise<number> {
  const { stdin, stdout } = process
  let exitCode = 0
  socket.on('message', (data: Buffer) => {
    const payload = data.subarray(1)
    if (data[0] === frameChannel.stdout) stdout.write(payload)
    else if (data[0] === frameChannel.stderr) process.stderr.write(payload)
    else if (data[0] === frameChannel.error) exitCode = exitCodeOf(payload.toString('utf8'))
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
    socket.once('unexpected-response', (_request, response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        reject(
          new CodedError('NotRunning', statusMessage(Buffer.concat(chunks).toString('utf8')), 'See: orrery status'),
        )
      })
    })
  })
  const sendSize = (): void => {
    socket.send(frame(frameChannel.resize, Buffer.from(JSON.stringify({ Width: stdout.columns, Height: stdout.rows }))))
  }
  const onData = (chunk: Buffer): void => {
    const leave = stdin.isTTY ? chunk.indexOf(leaveKey) : -1
    socket.send(frame(frameChannel.stdin, leave < 0 ? chunk : chunk.subarray(0, leave)))
    if (leave >= 0) socket.close()
  }
  if (stdin.isTTY) {
    stdin.setRawMode(true)
    process.stderr.write('Connected. Ctrl-] leaves.\r\n')
  }
  if (options.kind === 'terminal' && stdout.isTTY) {
    sendSize()
    stdout.on('resize', sendSize)
  }
  stdin.on('data', onData)
  stdin.once('end', () => {
    if (options.kind === 'script' && socket.readyState === socket.OPEN)
      socket.send(frame(frameChannel.close, Buffer.from([frameChannel.stdin])))
  })
  await once(socket, 'close')
  stdin.off('data', onData)
  if (stdin.isTTY) stdin.setRawMode(false)
  stdin.pause()
  return exitCode
}

function statusMessage(body: string): string {
  try {
    return (JSON.parse(body) as { message?: string }).message ?? body
  } catch {
    return body
  }
}

function exitCodeOf(status: string): number {
  const parsed = JSON.parse(status) as {
    status?: string
    message?: string
    details?: { causes?: { reason?: string; message?: string }[] }
  }
  if (parsed.status === 'Success') return 0
  const cause = parsed.details?.causes?.find((candidate) => candidate.reason === 'ExitCode')
  if (!cause && parsed.message !== undefined) process.stderr.write(`${parsed.message}\n`)
  return Number(cause?.message ?? 1) || 1
}
