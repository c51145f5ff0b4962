// Loads compiled rules into the kernel with `nft -f -`: debounced, one at a time, small updates after the first load. A failed update
// is followed by a full load.
import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import type { EndpointSlice, Service } from '../../../common/api/generated/types.ts'
import { Backoff } from '../../../common/client/backoff.ts'
import type { Informer } from '../../../common/client/informer.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import { describeError } from '../logger.ts'
import type { HostPorts } from './host-ports.ts'
import { compileRules, type Ruleset } from './rules.ts'
import { fullScript, updateScript } from './script.ts'

/** Changes come in bursts (a rollout); the first one waits this long for the others. */
const debounceMs = 100

export interface ProxyOptions {
  services: Informer<Service>
  slices: Informer<EndpointSlice>
  hostPorts: HostPorts
  nodeName: string
  /** Service addresses that this node's agent answers itself. */
  skipAddresses: ReadonlySet<string>
  serviceCIDR: string
  clock: Clock
  logger: Logger
}

export function startProxy(options: ProxyOptions): () => void {
  const { services, slices, clock, logger } = options
  const backoff = new Backoff({ baseMs: 500, maxMs: 30_000 })
  let applied: Ruleset | undefined
  let scheduled = false
  let busy = false
  let again = false
  let cancel: () => void = () => undefined

  const schedule = (ms: number): void => {
    if (scheduled || !services.hasSynced() || !slices.hasSynced()) return
    if (busy) {
      again = true
      return
    }
    scheduled = true
    cancel = clock.after(ms, () => {
      scheduled = false
      void apply()
    })
  }
  const apply = async (): Promise<void> => {
    busy = true
    let waitMs = debounceMs
    try {
      const rules = compileRules({
        ...options,
        services: services.list(),
        slices: slices.list(),
        hostPorts: options.hostPorts.list(),
      })
      const script = applied === undefined ? fullScript(rules, options) : updateScript(applied, rules)
      if (script !== '') await runNft(script)
      if (applied !== undefined) await dropStaleUdp(applied, rules)
      applied = rules
      backoff.reset()
    } catch (error) {
      logger.warn('service rules could not be loaded', { error: describeError(error) })
      applied = undefined
      again = true
      waitMs = backoff.next()
    }
    busy = false
    if (!again) return
    again = false
    schedule(waitMs)
  }
  const changed = (): void => {
    schedule(debounceMs)
  }
  const unsubscribe = [
    options.hostPorts.subscribe(changed),
    services.subscribe({ onAdd: changed, onUpdate: changed, onDelete: changed }),
    slices.subscribe({ onAdd: changed, onUpdate: changed, onDelete: changed }),
  ]
  void Promise.all([services.synced, slices.synced]).then(changed, () => undefined)
  return () => {
    cancel()
    for (const end of unsubscribe) end()
  }
}

function runNft(script: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('nft', ['-f', '-'], { stdio: ['pipe', 'ignore', 'pipe'] })
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8')
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`nft: ${stderr.trim().slice(0, 1000)}`))
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(script)
  })
}

const udpTarget = /^meta l4proto udp dnat to ([\d.]+):/

/** The kernel keeps sending known UDP flows to an endpoint that is gone; TCP notices by itself. */
async function dropStaleUdp(old: Ruleset, rules: Ruleset): Promise<void> {
  for (const [name, body] of old.chains) {
    if (rules.chains.has(name)) continue
    const ip = body.map((rule) => udpTarget.exec(rule)?.[1]).find((found) => found !== undefined)
    // conntrack fails when there is nothing to delete.
    if (ip !== undefined)
      await promisify(execFile)('conntrack', ['-D', '-p', 'udp', '--dst-nat', ip]).catch(() => undefined)
  }
}
