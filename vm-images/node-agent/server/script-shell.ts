// POST /shell?tty=false: a shell of the node without a terminal, for scripts: input as it comes, output and errors apart, exit code last.
import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { frameChannel } from '../../../common/channel/agent-api.ts'
import { drained, exitStatus, FramedStream } from './framed-stream.ts'
import type { AgentRequest } from './agent-server.ts'

export function scriptShell({ stream }: AgentRequest, env: Record<string, string>): void {
  // A group of its own, so that a client that goes away takes with it what the script started.
  const child = spawn('/bin/sh', ['-s'], { cwd: '/root', env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.on('error', () => undefined)
  const framed = new FramedStream(stream)
  framed.start({
    onStdin: async (data) => {
      if (!child.stdin.write(data)) await drained(child.stdin)
    },
    onStdinEnd: () => {
      child.stdin.end()
    },
    onResize: () => undefined,
    onClose: () => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGHUP')
    },
  })
  const forward = async (output: Readable, channel: number): Promise<void> => {
    for await (const chunk of output) await framed.send(channel, chunk as Buffer)
  }
  const ended = new Promise<number>((resolve) => {
    child.on('close', (code) => {
      resolve(code ?? 128)
    })
    child.on('error', () => {
      resolve(127)
    })
  })
  void Promise.allSettled([
    forward(child.stdout, frameChannel.stdout),
    forward(child.stderr, frameChannel.stderr),
  ]).then(async () => {
    framed.finish(exitStatus(await ended))
  })
}
