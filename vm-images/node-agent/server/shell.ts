// POST /shell?cols=N&rows=N: a login shell of the node itself on a pseudo-terminal; with tty=false one without.
import { frameChannel } from '../../../common/channel/agent-api.ts'
import { badRequest } from '../../../common/machinery/status.ts'
import type { Handler } from './agent-server.ts'
import { exitStatus, FramedStream } from './framed-stream.ts'
import { scriptShell } from './script-shell.ts'

/** Output waiting for the client before the terminal is paused, and before it goes on. */
const highWaterBytes = 100_000
const lowWaterBytes = 5_000

const environment = (): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
})

export const shell: Handler = async (request) => {
  const { stream, query } = request
  if (query.get('tty') === 'false') {
    scriptShell(request, environment())
    return
  }
  const cols = dimension(query, 'cols', 80)
  const rows = dimension(query, 'rows', 24)
  // A native module that few sessions need: loaded by the first.
  const { spawn } = await import('@lydell/node-pty')
  const terminal = spawn('/bin/sh', ['-l'], {
    name: 'xterm-256color',
    cols,
    rows,
    cwd: '/root',
    // The prompt of the serial console: which node this is matters most.
    env: { ...environment(), TERM: 'xterm-256color', PS1: '\\[\\e[1m\\]\\h\\[\\e[0m\\]:\\w# ' },
    encoding: null,
  })
  const framed = new FramedStream(stream)
  framed.start({
    onStdin: (data) => {
      terminal.write(Buffer.from(data).toString('utf8'))
    },
    onStdinEnd: () => {
      terminal.write('\x04')
    },
    onResize: ({ width, height }) => {
      if (width > 0 && height > 0) terminal.resize(width, height)
    },
    onClose: () => {
      terminal.kill('SIGHUP')
    },
  })
  let waiting = 0
  // With encoding null the data is a Buffer, whatever the declared type says.
  terminal.onData((data: string | Buffer) => {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    waiting += bytes.length
    if (waiting > highWaterBytes) terminal.pause()
    void framed.send(frameChannel.stdout, bytes).then(() => {
      waiting -= bytes.length
      if (waiting < lowWaterBytes) terminal.resume()
    })
  })
  terminal.onExit(({ exitCode }) => {
    framed.finish(exitStatus(exitCode))
  })
}

function dimension(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name)
  if (text === null || text === '') return fallback
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 1000) throw badRequest(`${name} must be a number from 1 to 1000`)
  return value
}
