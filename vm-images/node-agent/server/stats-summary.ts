// GET /stats/summary: what cgroup v2 says, read when asked. CPU rates are those since the previous request; nothing runs in between.
import { readFile, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod } from '../../../common/api/generated/types.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import { cgroupRoot } from '../pods/cgroups.ts'
import { podCgroup } from '../pods/resources.ts'
import { RuntimeService, type Runtime } from '../runtime/runtime.ts'
import { labels } from '../runtime/labels.ts'
import type { Handler } from './agent-server.ts'
import { answerJson } from './respond.ts'

interface CpuStats {
  time: string
  usageCoreNanoSeconds: number
  usageNanoCores?: number
}
interface MemoryStats {
  time: string
  usageBytes: number
  workingSetBytes: number
  rssBytes: number
  availableBytes?: number
}
interface Usage {
  cpu: CpuStats
  memory: MemoryStats
}

/** A rate over less than this is mostly noise: the last one is shown again. */
const minRateMs = 1000

export class StatsSummary {
  readonly #runtime: Runtime
  readonly #clock: Clock
  readonly #nodeName: string
  readonly #pods: () => readonly Pod[]
  readonly #last = new Map<string, { atMs: number; nanos: number; rate: number | undefined }>()

  constructor(options: { runtime: Runtime; clock: Clock; nodeName: string; pods: () => readonly Pod[] }) {
    this.#runtime = options.runtime
    this.#clock = options.clock
    this.#nodeName = options.nodeName
    this.#pods = options.pods
  }

  readonly handler: Handler = async ({ stream }) => {
    answerJson(stream, 200, await this.summary())
  }

  async summary(): Promise<unknown> {
    const seen = new Set<string>()
    const { containers } = await this.#runtime.call(RuntimeService.method.listContainers, {
      filter: { state: { state: 1 } },
    })
    const pods = []
    for (const pod of this.#pods()) {
      const folder = podCgroup(pod).path
      const usage = await this.#usage(folder, seen)
      if (usage === undefined) continue
      const own = containers.filter((container) => container.labels[labels.podUid] === pod.metadata.uid)
      const containerStats = []
      for (const { id, metadata } of own) {
        const stats = await this.#usage(join(folder, id), seen)
        if (stats !== undefined)
          containerStats.push({ name: metadata?.name ?? '', startTime: pod.status?.startTime, ...stats })
      }
      pods.push({
        podRef: { name: pod.metadata.name, namespace: pod.metadata.namespace, uid: pod.metadata.uid },
        startTime: pod.status?.startTime,
        containers: containerStats,
        ...usage,
      })
    }
    const node = await this.#nodeUsage(seen)
    for (const key of this.#last.keys()) if (!seen.has(key)) this.#last.delete(key)
    return { node: { nodeName: this.#nodeName, ...node }, pods }
  }

  async #usage(folder: string, seen: Set<string>): Promise<Usage | undefined> {
    const path = join(cgroupRoot, folder)
    try {
      const [cpu, current, stat, max] = await Promise.all([
        readFile(join(path, 'cpu.stat'), 'utf8'),
        readFile(join(path, 'memory.current'), 'utf8'),
        readFile(join(path, 'memory.stat'), 'utf8'),
        readFile(join(path, 'memory.max'), 'utf8'),
      ])
      const usageBytes = Number(current)
      const workingSetBytes = Math.max(0, usageBytes - field(stat, 'inactive_file'))
      const limit = Number(max)
      seen.add(folder)
      return {
        cpu: this.#cpu(folder, field(cpu, 'usage_usec') * 1000),
        memory: {
          time: this.#time(),
          usageBytes,
          workingSetBytes,
          rssBytes: field(stat, 'anon'),
          ...(Number.isNaN(limit) ? {} : { availableBytes: Math.max(0, limit - workingSetBytes) }),
        },
      }
    } catch {
      // The cgroup went away while it was read.
      return undefined
    }
  }

  async #nodeUsage(seen: Set<string>): Promise<Usage & { fs: unknown }> {
    const [cpu, meminfo, disk] = await Promise.all([
      readFile('/proc/stat', 'utf8'),
      readFile('/proc/meminfo', 'utf8'),
      statfs('/var'),
    ])
    const kib = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(meminfo)?.[1] ?? '0') * 1024
    const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (/^cpu .*/m.exec(cpu)?.[0] ?? '')
      .split(/\s+/)
      .map(Number)
    // Ticks of 1/100 s.
    const nanos = (user + nice + system + irq + softirq) * 10_000_000
    const available = kib('MemAvailable')
    const total = kib('MemTotal')
    seen.add('')
    return {
      cpu: this.#cpu('', nanos),
      memory: {
        time: this.#time(),
        usageBytes: total - kib('MemFree'),
        workingSetBytes: total - available,
        rssBytes: kib('AnonPages'),
        availableBytes: available,
      },
      fs: {
        time: this.#time(),
        availableBytes: disk.bavail * disk.bsize,
        capacityBytes: disk.blocks * disk.bsize,
        usedBytes: (disk.blocks - disk.bfree) * disk.bsize,
      },
    }
  }

  #cpu(key: string, nanos: number): CpuStats {
    const now = this.#clock.now()
    const last = this.#last.get(key)
    const fresh = last === undefined || now - last.atMs >= minRateMs
    const rate =
      last === undefined || !fresh
        ? last?.rate
        : Math.max(0, Math.round(((nanos - last.nanos) * 1000) / (now - last.atMs)))
    if (fresh) this.#last.set(key, { atMs: now, nanos, rate })
    return { time: this.#time(), usageCoreNanoSeconds: nanos, ...(rate === undefined ? {} : { usageNanoCores: rate }) }
  }

  #time(): string {
    return new Date(this.#clock.now()).toISOString()
  }
}

const field = (text: string, name: string): number => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1] ?? '0')
