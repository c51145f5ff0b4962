// The loopback port through which the engine reaches a machine's agent: the same one at every boot while it is free, because
// people look at it in process lists and firewalls remember it.
import { freePort, isPortFree } from './endpoint.ts'

/** Below Linux's ephemeral range (32768-60999) and outside the NodePort range (30000-32767), so that neither takes it by chance. */
const firstPort = 21_000
const portCount = 8_000

/** The port a machine tries first; differs between homes and machines. */
export function preferredPort(seed: string): number {
  let hash = 2_166_136_261
  for (const char of seed) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16_777_619) >>> 0
  return firstPort + (hash % portCount)
}

/** `last` when it is free, else the preferred one of `seed` and the few after it, else any free port. */
export async function chooseForwardPort(options: {
  seed: string
  last?: number
  avoid?: ReadonlySet<number>
}): Promise<number> {
  const start = preferredPort(options.seed)
  const candidates = [...(options.last === undefined ? [] : [options.last])]
  for (let step = 0; step < 16; step++) candidates.push(firstPort + ((start - firstPort + step) % portCount))
  for (const port of candidates) {
    if (options.avoid?.has(port) !== true && (await isPortFree(port))) return port
  }
  return freePort()
}
