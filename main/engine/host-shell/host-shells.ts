// Shells on the host for the window's terminal, with KUBECONFIG set and kubectl on the path. A session outlives its viewers: a
// reloaded window attaches again by id and gets the scrollback. Output is held back while a viewer cannot keep up.
import { randomUUID } from 'node:crypto'
import { platform, homedir } from 'node:os'
import { delimiter } from 'node:path'
import { spawn, type IPty } from '@lydell/node-pty'
import type { ChannelStream, ConnectRequest, ConnectSubresource } from '../../apiserver/apiserver.ts'
import { frameChannel } from '../../../common/channel/agent-api.ts'
import { labGroup } from '../../../common/api/lab/v1alpha1.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import { badRequest } from '../../../common/machinery/status.ts'

/** What a reattached window can scroll back to. */
const scrollbackBytes = 256 * 1024
/** Shells nobody looks at are ended after this long. */
const abandonedAfterMs = 12 * 3600 * 1000
const maxShells = 32

export interface HostShellOptions {
  kubeconfig: string
  /** Folders put first on PATH: kubectl, the orrery command. */
  binFolders: readonly string[]
  home: string
  logger: Logger
}

class HostShell {
  readonly pty: IPty
  #scrollback: Buffer[] = []
  #size = 0
  readonly #viewers = new Set<(chunk: Buffer | undefined) => void>()
  exited = false
  lastViewedMs = Date.now()

  constructor(pty: IPty, onExit: () => void) {
    this.pty = pty
    pty.onData((text) => {
      const chunk = Buffer.from(text, 'utf8')
      this.#scrollback.push(chunk)
      this.#size += chunk.length
      while (this.#size > scrollbackBytes) this.#size -= this.#scrollback.shift()?.length ?? 0
      for (const viewer of this.#viewers) viewer(chunk)
    })
    pty.onExit(() => {
      this.exited = true
      for (const viewer of this.#viewers) viewer(undefined)
      onExit()
    })
  }

  get viewed(): boolean {
    return this.#viewers.size > 0
  }

  /** Replays the scrollback, then streams until the viewer leaves or the shell ends. */
  async view(stream: ChannelStream, signal: AbortSignal): Promise<void> {
    let sending = stream.send(frameChannel.stdout, Buffer.concat(this.#scrollback))
    const ended = Promise.withResolvers<undefined>()
    let queued = 0
    const viewer = (chunk: Buffer | undefined): void => {
      if (chunk === undefined) {
        ended.resolve(undefined)
        return
      }
      queued += chunk.length
      // The slowest viewer paces the shell: 1 MiB waiting is a screenful many times over.
      if (queued > 1 << 20) this.pty.pause()
      sending = sending.then(async () => {
        await stream.send(frameChannel.stdout, chunk)
        queued -= chunk.length
        if (queued < 1 << 18) this.pty.resume()
      })
      sending.catch(() => {
        ended.resolve(undefined)
      })
    }
    this.#viewers.add(viewer)
    signal.addEventListener('abort', () => {
      ended.resolve(undefined)
    })
    const input = (async () => {
      for await (const { channel, payload } of stream.receive()) {
        if (channel === frameChannel.stdin) this.pty.write(Buffer.from(payload).toString('utf8'))
        else if (channel === frameChannel.resize) this.#resize(payload)
      }
      ended.resolve(undefined)
    })()
    input.catch(() => {
      ended.resolve(undefined)
    })
    await ended.promise
    this.#viewers.delete(viewer)
    this.lastViewedMs = Date.now()
    if (!this.exited) this.pty.resume()
    await sending.catch(() => undefined)
    stream.close()
  }

  #resize(payload: Uint8Array): void {
    const size = JSON.parse(Buffer.from(payload).toString('utf8')) as { Width?: number; Height?: number }
    const { Width: columns = 0, Height: rows = 0 } = size
    if (columns > 0 && rows > 0 && columns < 10_000 && rows < 10_000) this.pty.resize(columns, rows)
  }
}

/** The subresource labs/shell: `?session=ID` attaches to that shell (starting it when there is none), `cols`, `rows` its first size. */
export function hostShells(options: HostShellOptions): { subresource: ConnectSubresource; close(): void } {
  const shells = new Map<string, HostShell>()
  const start = (id: string, query: URLSearchParams): HostShell => {
    for (const [other, shell] of shells) {
      if (!shell.viewed && Date.now() - shell.lastViewedMs > abandonedAfterMs) {
        shell.pty.kill()
        shells.delete(other)
      }
    }
    if (shells.size >= maxShells)
      throw badRequest(`${String(maxShells)} host shells are open already: close one of them first`)
    const windows = platform() === 'win32'
    const file = windows ? 'powershell.exe' : (process.env['SHELL'] ?? '/bin/bash')
    const pty = spawn(file, windows ? [] : ['-l'], {
      name: 'xterm-256color',
      cols: Number(query.get('cols') ?? 80) || 80,
      rows: Number(query.get('rows') ?? 24) || 24,
      cwd: homedir(),
      env: {
        ...(process.env as Record<string, string>),
        KUBECONFIG: options.kubeconfig,
        ORRERY_HOME: options.home,
        PATH: [...options.binFolders, process.env['PATH'] ?? ''].join(delimiter),
        TERM: 'xterm-256color',
        COLORTERM: 'truecolor',
      },
    })
    const shell = new HostShell(pty, () => shells.delete(id))
    shells.set(id, shell)
    options.logger.info('host shell started', { session: id, pid: pty.pid })
    return shell
  }
  return {
    subresource: {
      group: labGroup,
      plural: 'labs',
      subresource: 'shell',
      methods: ['GET'],
      async onStream(request: ConnectRequest, stream: ChannelStream) {
        const id = request.query.get('session') ?? randomUUID()
        if (!/^[\w-]{1,64}$/.test(id)) throw badRequest('session: at most 64 letters, digits, "-" and "_"')
        const shell = shells.get(id) ?? start(id, request.query)
        await shell.view(stream, request.signal)
      },
    },
    close() {
      for (const shell of shells.values()) shell.pty.kill()
      shells.clear()
    },
  }
}
