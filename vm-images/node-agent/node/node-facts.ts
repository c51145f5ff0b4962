// What this node is and has: read once from the kernel where it cannot change, at each status where it can.
import { readFileSync, statfsSync } from 'node:fs'
import { arch, cpus, release, totalmem } from 'node:os'
import type { GuestConfig } from '../../../common/channel/guest-config.ts'
import type { NodeFacts } from '../pods/field-path.ts'

/** Kernel, container runtime and this agent: what a node of 512 MiB needs for itself (measured). */
const reservedMemoryBytes = 144 * 1024 * 1024
const dataFolder = '/var'
/** As on other nodes: a tenth of the disk is never given to pods. */
const reservedDiskShare = 0.1

export interface MachineFacts {
  architecture: string
  cpus: number
  memoryBytes: number
  allocatableMemoryBytes: number
  diskBytes: number
  allocatableDiskBytes: number
  kernelVersion: string
  osImage: string
  bootId: string
  machineId: string
  address: string
}

export function readMachineFacts(config: GuestConfig): MachineFacts {
  const disk = statfsSync(dataFolder)
  const memoryBytes = totalmem()
  const diskBytes = disk.blocks * disk.bsize
  return {
    architecture: arch() === 'x64' ? 'amd64' : arch(),
    cpus: cpus().length,
    memoryBytes,
    allocatableMemoryBytes: Math.max(64 << 20, memoryBytes - reservedMemoryBytes),
    diskBytes,
    allocatableDiskBytes: Math.floor(diskBytes * (1 - reservedDiskShare)),
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)/m.exec(readText('/etc/os-release'))?.[1] ?? 'Linux',
    bootId: readText('/proc/sys/kernel/random/boot_id'),
    machineId: readText('/etc/machine-id') || config.machineUid.replaceAll('-', ''),
    address: config.lan.address.split('/')[0] ?? '',
  }
}

export const nodeFacts = (config: GuestConfig, facts: MachineFacts): NodeFacts => ({
  name: config.machine,
  addresses: [facts.address],
  allocatable: {
    cpuMillis: facts.cpus * 1000,
    memoryBytes: facts.allocatableMemoryBytes,
    ephemeralBytes: facts.allocatableDiskBytes,
  },
})

export interface Pressure {
  memory: boolean
  disk: boolean
  pids: boolean
}

/** The kubelet's default hard eviction signals: 100 MiB of memory (less on small nodes), 10 % of the disk. */
export function readPressure(memoryBytes: number): Pressure {
  const available = Number(/^MemAvailable:\s+(\d+)/m.exec(readText('/proc/meminfo'))?.[1] ?? '0') * 1024
  const disk = statfsSync(dataFolder)
  const [, running = '0'] = (readText('/proc/loadavg').split(' ')[3] ?? '').split('/')
  const maxPids = Number(readText('/proc/sys/kernel/pid_max')) || 32_768
  return {
    memory: available < Math.min(100 << 20, memoryBytes * 0.05),
    disk: disk.bavail < disk.blocks * 0.1,
    pids: Number(running) > maxPids * 0.9,
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}
