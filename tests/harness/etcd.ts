// Real etcd servers (Debian's), each on a folder and ports that stay the same when it is started again.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { defaultCache } from '../../main/engine/paths.ts'
import { ensureEtcd } from '../../vm-images/host-tools.ts'
import { eventually } from './eventually.ts'

export interface EtcdPorts {
  client: number
  peer: number
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

export const newPorts = async (): Promise<EtcdPorts> => ({ client: await freePort(), peer: await freePort() })

export const urlOf = (ports: { client: number }): string => `http://127.0.0.1:${String(ports.client)}`

export class EtcdProcesses {
  readonly #running = new Set<ChildProcess>()
  #program = ''

  async prepare(): Promise<void> {
    this.#program = await ensureEtcd({ cache: defaultCache() })
  }

  /** Resolves when it answers. `flags` make it speak TLS: then only those it knows may ask, and the first to use it waits. */
  async start(folder: string, ports: EtcdPorts, flags: readonly string[] = []): Promise<ChildProcess> {
    const client = `${flags.length === 0 ? 'http' : 'https'}://127.0.0.1:${String(ports.client)}`
    const peer = `http://127.0.0.1:${String(ports.peer)}`
    const child = spawn(
      this.#program,
      [
        ...['--data-dir', join(folder, 'etcd'), '--log-level', 'error', '--name', 'test'],
        ...['--listen-client-urls', client, '--advertise-client-urls', client, '--listen-peer-urls', peer],
        ...['--initial-advertise-peer-urls', peer, '--initial-cluster', `test=${peer}`],
        ...flags,
      ],
      { stdio: 'ignore' },
    )
    this.#running.add(child)
    if (flags.length === 0)
      await eventually('etcd answers', () =>
        fetch(`${client}/health`).then(
          ({ ok }) => ok,
          () => false,
        ),
      )
    return child
  }

  async stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#running.delete(child)
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }

  async stopAll(): Promise<void> {
    for (const child of this.#running) await this.stop(child)
  }
}
