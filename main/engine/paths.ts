// Every file name the program writes, once. Nothing else joins a path under the home.
import { homedir, platform, tmpdir } from 'node:os'
import { createHash } from 'node:crypto'
import { join } from 'node:path'

/** The default home per operating system, or ORRERY_HOME. */
export function defaultHome(env: NodeJS.ProcessEnv = process.env): string {
  const chosen = env['ORRERY_HOME']
  if (chosen !== undefined && chosen !== '') return chosen
  switch (platform()) {
    case 'darwin':
      return join(homedir(), 'Library', 'Application Support', 'Orrery')
    case 'win32':
      return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'Orrery')
    default:
      return join(env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'orrery')
  }
}

/** Where content-addressed build results live (node images, OCI images, host tools); shared by all homes. ORRERY_CACHE overrides. */
export function defaultCache(env: NodeJS.ProcessEnv = process.env): string {
  const chosen = env['ORRERY_CACHE']
  if (chosen !== undefined && chosen !== '') return chosen
  switch (platform()) {
    case 'darwin':
      return join(homedir(), 'Library', 'Caches', 'Orrery')
    case 'win32':
      return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'Orrery', 'Cache')
    default:
      return join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'orrery')
  }
}

export interface MachinePaths {
  folder: string
  disk: string
  configDisk: string
  /** Everything the serial console ever printed (rotated by size). */
  consoleLog: string
  qemuLog: string
  /** JSON {pid, startTime, command, …}: what adoption needs. */
  state: string
  /** Sockets live in a short folder because unix socket paths are limited to about 100 bytes. */
  qmpSocket: string
  consoleSocket: string
  /** The machine's cable: where its LAN NIC meets the switch. */
  lanSocket: string
}

export interface HomePaths {
  home: string
  /** Held by the running engine: JSON {pid, startTime}. */
  lock: string
  store: string
  pki: string
  kubeconfig: string
  /** JSON EngineInfo: port, pid, version, started; removed on clean stop. */
  engineInfo: string
  engineLog: string
  adminToken: string
  registry: string
  accelerators: string
  machine(name: string): MachinePaths
  machines: string
}

export function homePaths(home: string): HomePaths {
  const sockets = join(tmpdir(), `orrery-${createHash('sha256').update(home).digest('hex').slice(0, 12)}`)
  const machines = join(home, 'machines')
  return {
    home,
    lock: join(home, 'engine.lock'),
    store: join(home, 'store', 'state.db'),
    pki: join(home, 'pki'),
    kubeconfig: join(home, 'kubeconfig'),
    engineInfo: join(home, 'engine.json'),
    engineLog: join(home, 'logs', 'engine.log'),
    adminToken: join(home, 'pki', 'admin.token'),
    registry: join(home, 'registry'),
    accelerators: join(home, 'accelerators.json'),
    machines,
    machine: (name) => {
      const folder = join(machines, name)
      return {
        folder,
        disk: join(folder, 'disk.qcow2'),
        configDisk: join(folder, 'config.tar'),
        consoleLog: join(folder, 'console.log'),
        qemuLog: join(folder, 'qemu.log'),
        state: join(folder, 'state.json'),
        qmpSocket: join(sockets, `${name}.qmp`),
        consoleSocket: join(sockets, `${name}.con`),
        lanSocket: join(sockets, `${name}.lan`),
      }
    },
  }
}
