// EventRateLimit: at most so many events, so that one noisy program does not drown the others. Without a configuration the limits are
// those of upstream's documentation example for one source and object.
import type { Event } from '../../../common/api/generated/types.ts'
import { StatusError } from '../../../common/machinery/status.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts'
import { type PluginConfiguration, requireKind, requireNumber } from './configuration.ts'

/** What shares one limit. */
const keys = {
  Server: () => '',
  Namespace: ({ namespace }: AdmissionAttributes) => namespace,
  User: ({ request }: AdmissionAttributes) => request.user.name,
  SourceAndObject: sourceOf,
} as const

interface Limit {
  readonly type: keyof typeof keys
  readonly qps: number
  readonly burst: number
  readonly cacheSize: number
}

const defaultCacheSize = 4096
const defaults: readonly Limit[] = [{ type: 'SourceAndObject', qps: 10, burst: 50, cacheSize: defaultCacheSize }]

export function readEventLimits(configuration: PluginConfiguration | undefined): readonly Limit[] {
  if (configuration === undefined) return defaults
  requireKind(configuration, 'eventratelimit.admission.k8s.io', 'Configuration')
  const { limits = [] } = configuration.content as { limits?: readonly Partial<Limit>[] }
  if (limits.length === 0) throw new Error('limits: Invalid value: must not be empty')
  return limits.map(({ type, qps, burst, cacheSize = defaultCacheSize }, index) => {
    const path = `limits[${String(index)}]`
    if (type === undefined || !Object.hasOwn(keys, type))
      throw new Error(`${path}.type: Unsupported value: ${JSON.stringify(type ?? '')}`)
    return {
      type,
      qps: requireNumber(`${path}.qps`, qps, 1),
      burst: requireNumber(`${path}.burst`, burst, 1),
      cacheSize: requireNumber(`${path}.cacheSize`, cacheSize, 0),
    }
  })
}

export function eventRateLimit(limits: readonly Limit[]): AdmissionPlugin {
  const buckets = limits.map((limit) => new Buckets(limit))
  return {
    name: 'EventRateLimit',
    concerns: ({ group, resource }) => resource === 'events' && (group === '' || group === 'events.k8s.io'),
    validate(attributes) {
      const { operation, subresource, request, registry } = attributes
      if (operation === 'DELETE' || subresource !== '' || request.dryRun) return
      const now = registry.clock.now()
      // All are counted, also those behind one that refuses.
      const exceeded = buckets.filter((one) => !one.take(attributes, now))
      const last = exceeded.at(-1)
      if (last === undefined) return
      throw new StatusError({
        code: 429,
        reason: 'TooManyRequests',
        message: `Too many requests: limit reached on type ${last.limit.type} for key ${keys[last.limit.type](attributes)}`,
      })
    },
  }
}

class Buckets {
  readonly limit: Limit
  /** The least recently used first. */
  readonly #buckets = new Map<string, { tokens: number; at: number }>()

  constructor(limit: Limit) {
    this.limit = limit
  }

  take(attributes: AdmissionAttributes, now: number): boolean {
    const { type, qps, burst, cacheSize } = this.limit
    const key = keys[type](attributes)
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now }
    const tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * qps)
    this.#buckets.delete(key)
    this.#buckets.set(key, { tokens: tokens < 1 ? tokens : tokens - 1, at: now })
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size > Math.max(1, cacheSize) && oldest !== undefined) this.#buckets.delete(oldest)
    return tokens >= 1
  }
}

function sourceOf({ object }: AdmissionAttributes): string {
  const { source, involvedObject } = object as Event
  return [
    source?.component,
    source?.host,
    involvedObject?.kind,
    involvedObject?.namespace,
    involvedObject?.name,
    involvedObject?.uid,
    involvedObject?.apiVersion,
  ]
    .map((part) => part ?? '')
    .join('')
}
